"""Erase or anonymise a contact.

Erasure removes the record, its events, its consents and the personal data in its executions. Keyed hashes and counts
stay. Anonymisation keeps the record too, without personal data.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from chalicelib.core.contacts.save_contact import get_contact
from chalicelib.core.contacts.sync_suppressions import TRIES, address_kind_for, hashes_of
from chalicelib.core.privacy.request_opt_in import remove_opt_ins
from chalicelib.core.privacy.suppress_address import add_block, detach_contact
from chalicelib.core.queueing.enqueue_steps import enqueue_steps
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.contact import ConsentState, Contact, ContactStatus
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import EraseContact, ScheduledStep, build_step_message
from chalicelib.model.suppression import AddressKind, SuppressionBlock, SuppressionReason
from chalicelib.ports import ExpectUnclaimed, Ports, Save

#: After this delay open claims have expired, indexes are up to date, and queued events have been stored.
SWEEP_AFTER = timedelta(minutes=2)
#: Entries of one contact in one flow that are read in one request.
_TOGETHER = 10
_BY_STATUS = {
    ContactStatus.UNSUBSCRIBED: SuppressionReason.REVOKED,
    ContactStatus.BOUNCED: SuppressionReason.HARD_BOUNCE,
    ContactStatus.BLOCKED: SuppressionReason.MANUAL,
}


def erase_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Erase a contact. Raise NotFound. After the return no send to it begins; its open executions are skipped.

    A job that repeats the whole erasure is queued first, so a crash in the middle leaves no partial erasure.
    """
    contact = get_contact(ports, workspace, uid)
    ports.jobs.send(EraseContact(workspace=workspace, contact=ContactUid(uid), created=contact.created_at), SWEEP_AFTER)
    _erase(ports, workspace, contact)


def anonymise_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact:
    """Remove the personal data of a contact. Raise NotFound. After the return no send to it begins.

    The uid, the times, the names and times of events, and the executions stay, so no count changes. A later contact
    with one of its addresses is a new contact.
    """
    contact = get_contact(ports, workspace, uid)
    ports.jobs.send(
        EraseContact(workspace=workspace, contact=ContactUid(uid), created=contact.created_at, keeps_record=True),
        SWEEP_AFTER,
    )
    return _anonymise(ports, workspace, contact)


def sweep_erased(ports: Ports, job: EraseContact) -> None:
    """Finish an interrupted erasure, and erase what workers wrote while it ran."""
    workspace, uid = job.workspace, job.contact
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    if contact is None:
        _sweep(ports, workspace, uid)
    elif contact.created_at == job.created:
        (_anonymise if job.keeps_record else _erase)(ports, workspace, contact)


def _erase(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    _suppress_addresses(ports, workspace, contact)
    remove_opt_ins(ports, workspace, contact)
    ports.contacts.remove(workspace, contact)
    _sweep(ports, workspace, ContactUid(contact.uid))


def _anonymise(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> Contact:
    """Anonymise the record, its events and its executions. A second call changes nothing."""
    _suppress_addresses(ports, workspace, contact)
    remove_opt_ins(ports, workspace, contact)
    nameless = _blank(ports, workspace, contact)
    uid = ContactUid(contact.uid)
    ports.consents.remove_all(workspace, uid)
    ports.events.anonymise_all(workspace, uid)
    for flow in _flows_of(ports, workspace, uid):
        _anonymise_executions(ports, workspace, flow, uid, keeps_due=True)
    return nameless


def _blank(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> Contact:
    """Save the record without personal data. The status BLOCKED stops the open executions."""
    for _ in range(TRIES):
        blank = Contact(
            uid=contact.uid,
            created_at=contact.created_at,
            updated_at=ports.clock.now(),
            rev=contact.rev,
            status=ContactStatus.BLOCKED,
            consent=contact.consent,
        )
        if blank == contact.model_copy(update={"updated_at": blank.updated_at}):
            return contact
        with suppress(Conflict):
            return ports.contacts.save(workspace, contact, blank)
        contact = get_contact(ports, workspace, contact.uid)
    raise RetryLater("The contact has too many concurrent changes; retry the request")


def _suppress_addresses(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    """Keep opt-outs on the suppression list, so that they also apply to a later import of the same address."""
    for uid, address in hashes_of(ports, workspace, contact).items():
        for block in _blocks_of(ports, contact):
            if block.address is address:
                add_block(ports, workspace, uid, block)
    detach_contact(ports, workspace, contact)


def _blocks_of(ports: Ports, contact: Contact) -> Iterator[SuppressionBlock]:
    now = ports.clock.now()
    if reason := _BY_STATUS.get(contact.status):
        yield from (SuppressionBlock(address=kind, reason=reason, at=now) for kind in AddressKind)
    for channel_type, consents in contact.consent.items():
        address = address_kind_for(ports, contact, channel_type)
        for message_type, state in consents.items():
            if address and state is ConsentState.REVOKED:
                yield SuppressionBlock(
                    address=address,
                    channel_type=channel_type,
                    message_type=message_type,
                    reason=SuppressionReason.REVOKED,
                    at=now,
                )


def _sweep(ports: Ports, workspace: WorkspaceUid, uid: ContactUid) -> None:
    ports.events.remove_all(workspace, uid)
    ports.consents.remove_all(workspace, uid)
    for flow in _flows_of(ports, workspace, uid):
        _anonymise_executions(ports, workspace, flow, uid)


def _flows_of(ports: Ports, workspace: WorkspaceUid, uid: ContactUid) -> Iterator[Flow]:
    found = (ports.catalog.find(workspace, Flow, flow) for flow in ports.executions.find_flows(workspace, uid))
    return (flow for flow in found if flow is not None)


def _anonymise_executions(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, uid: ContactUid, *, keeps_due: bool = False
) -> None:
    """Remove the personal data from the executions of a contact in a flow.

    The job handles executions under an open claim. A new `seq` makes the copies that workers hold outdated.
    `keeps_due`: open executions keep their due time; otherwise they are processed once more now, and end.
    """
    real_now, now = ports.clock.real(), ports.clock.now()
    executions = executions_of(ports, workspace, flow, uid)
    unclaimed = [each for each in executions if each.claim is None or each.claim.until <= real_now]
    changed = [each for each in unclaimed if each.is_open or each.anonymised() != each]
    anonymised = [replace(each.anonymised(), seq=each.seq + 1, due=each.due if keeps_due else None) for each in changed]
    saves = [
        Save(after, ExpectUnclaimed.as_seen(before, real_now))
        for before, after in zip(changed, anonymised, strict=True)
    ]
    held = ports.executions.save_many(saves, flow.shards) if saves else ()
    if None in held:
        raise RetryLater("The executions of the contact cannot be saved now; the erasure is retried")
    saved = [save.execution for save, ok in zip(saves, held, strict=True) if ok and save.execution.is_open]
    if saved:
        enqueue_steps(ports, [ScheduledStep(build_step_message(each.key, each.seq), each.due or now) for each in saved])


def executions_of(ports: Ports, workspace: WorkspaceUid, flow: Flow, uid: ContactUid) -> list[Execution]:
    """Return all executions of a contact in a flow, ordered by entry."""
    executions: list[Execution] = []
    while len(executions) % _TOGETHER == 0:
        first = len(executions) + 1
        keys = [ExecutionKey(workspace, FlowUid(flow.uid), uid, first + number) for number in range(_TOGETHER)]
        found = ports.executions.find_many(keys, flow.shards, strong=True)
        executions += [found[key] for key in keys if key in found]
        if not found:
            break
    return executions
