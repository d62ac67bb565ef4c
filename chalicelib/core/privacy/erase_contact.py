"""Erases a contact: the record, what it did and said, what its executions knew; keyed hashes and counts stay.

Or makes it nameless: then the record stays as well, with nothing in it that tells who it was.
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

#: By then every claim that was alive is over, every index has caught up, and every event on its way has arrived.
SWEEP_AFTER = timedelta(minutes=2)
#: Entries of one contact in one flow that are looked for together.
_TOGETHER = 10
_BY_STATUS = {
    ContactStatus.UNSUBSCRIBED: SuppressionReason.REVOKED,
    ContactStatus.BOUNCED: SuppressionReason.HARD_BOUNCE,
    ContactStatus.BLOCKED: SuppressionReason.MANUAL,
}


def erase_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """NotFound when it is not there. After this no send to it begins; its open executions skip themselves at once.

    A job, queued before anything is done, does it all again: a crash in the middle is then no half erasure.
    """
    contact = get_contact(ports, workspace, uid)
    ports.jobs.send(EraseContact(workspace=workspace, contact=ContactUid(uid), created=contact.created_at), SWEEP_AFTER)
    _erase(ports, workspace, contact)


def anonymise_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact:
    """NotFound. After this no send to it begins; who comes again with one of its addresses is another contact.

    Uid, times, consent and the names and times of events stay, and so do its rows: whatever is counted stays as it is.
    """
    contact = get_contact(ports, workspace, uid)
    ports.jobs.send(
        EraseContact(workspace=workspace, contact=ContactUid(uid), created=contact.created_at, keeps_record=True),
        SWEEP_AFTER,
    )
    return _anonymise(ports, workspace, contact)


def sweep_erased(ports: Ports, job: EraseContact) -> None:
    """Finishes an erasure that broke off, and takes what was in somebody's hands when it happened."""
    workspace, uid = job.workspace, job.contact
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    if contact is None:
        _sweep(ports, workspace, uid)
    elif contact.created_at == job.created:
        (_anonymise if job.keeps_record else _erase)(ports, workspace, contact)


def _erase(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    _keep_hashes(ports, workspace, contact)
    remove_opt_ins(ports, workspace, contact)
    ports.contacts.remove(workspace, contact)
    _sweep(ports, workspace, ContactUid(contact.uid))


def _anonymise(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> Contact:
    """Done twice it changes nothing; a contact that was given a name since has chosen to be known again."""
    _keep_hashes(ports, workspace, contact)
    remove_opt_ins(ports, workspace, contact)
    nameless = _blank(ports, workspace, contact)
    uid = ContactUid(contact.uid)
    ports.consents.remove_all(workspace, uid)
    ports.events.anonymise_all(workspace, uid)
    for flow in _flows_of(ports, workspace, uid):
        _forget_rows(ports, workspace, flow, uid, stays=True)
    return nameless


def _blank(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> Contact:
    """Saves the record with nothing in it; BLOCKED stops what is under way, as it does for any contact."""
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
    raise RetryLater("The contact is being changed by many at once")


def _keep_hashes(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    """Whoever said no has said it also to the next import of the same address."""
    for uid, address in hashes_of(ports, workspace, contact).items():
        for block in _blocks_of(ports, contact):
            if block.address is address:
                add_block(ports, workspace, uid, block)
    detach_contact(ports, workspace, contact)


def _blocks_of(ports: Ports, contact: Contact) -> Iterator[SuppressionBlock]:
    now = ports.clock.now()
    if reason := _BY_STATUS.get(contact.status):
        yield from (SuppressionBlock(address=kind, reason=reason, at=now) for kind in AddressKind)
    for channel_type, said in contact.consent.items():
        address = address_kind_for(ports, contact, channel_type)
        for message_type, state in said.items():
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
        _forget_rows(ports, workspace, flow, uid)


def _flows_of(ports: Ports, workspace: WorkspaceUid, uid: ContactUid) -> Iterator[Flow]:
    found = (ports.catalog.find(workspace, Flow, flow) for flow in ports.executions.find_flows(workspace, uid))
    return (flow for flow in found if flow is not None)


def _forget_rows(ports: Ports, workspace: WorkspaceUid, flow: Flow, uid: ContactUid, *, stays: bool = False) -> None:
    """A row under a live claim is left to the job. A new `seq` outdates the copies that workers hold of a row.

    `stays`: open rows wait as long as they would have; else they are looked at once more, and end.
    """
    real_now, now = ports.clock.real(), ports.clock.now()
    free = [row for row in rows_of(ports, workspace, flow, uid) if row.claim is None or row.claim.until <= real_now]
    known = [row for row in free if row.is_open or row.anonymised() != row]
    forgotten = [replace(row.anonymised(), seq=row.seq + 1, due=row.due if stays else None) for row in known]
    saves = [Save(row, ExpectUnclaimed.as_seen(before, real_now)) for before, row in zip(known, forgotten, strict=True)]
    held = ports.executions.save_many(saves, flow.shards) if saves else ()
    if None in held:
        raise RetryLater("What is known of a contact in its flows cannot be erased now")
    saved = [save.execution for save, ok in zip(saves, held, strict=True) if ok and save.execution.is_open]
    if saved:
        enqueue_steps(ports, [ScheduledStep(build_step_message(row.key, row.seq), row.due or now) for row in saved])


def rows_of(ports: Ports, workspace: WorkspaceUid, flow: Flow, uid: ContactUid) -> list[Execution]:
    """All of a contact's walks through a flow, by entry."""
    rows: list[Execution] = []
    while len(rows) % _TOGETHER == 0:
        first = len(rows) + 1
        keys = [ExecutionKey(workspace, FlowUid(flow.uid), uid, first + number) for number in range(_TOGETHER)]
        found = ports.executions.find_many(keys, flow.shards, strong=True)
        rows += [found[key] for key in keys if key in found]
        if not found:
            break
    return rows
