"""Erases a contact: the record, what it did and said, what its executions knew; keyed hashes and counts stay."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from chalicelib.model.contact import ConsentState, Contact, ContactStatus
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.hints import DueHint, Erase, hint_of
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid
from chalicelib.model.suppression import AddressKind, Block, SuppressionReason
from chalicelib.ports import Ports, Save, Unclaimed
from chalicelib.usecases.ask_opt_in import remove_opt_ins
from chalicelib.usecases.heed_suppressions import hashes_of, kind_of
from chalicelib.usecases.save_contact import get_contact
from chalicelib.usecases.send_hints import send_hints
from chalicelib.usecases.suppress_address import disown, list_block

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
    ports.jobs.send(Erase(w=workspace, c=uid, created=contact.created_at), SWEEP_AFTER)
    _erase(ports, workspace, contact)


def sweep_erased(ports: Ports, job: Erase) -> None:
    """Finishes an erasure that broke off, and takes what was in somebody's hands when it happened."""
    workspace, uid = WorkspaceUid(job.w), ContactUid(job.c)
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    if contact is None:
        _sweep(ports, workspace, uid)
    elif contact.created_at == job.created:
        _erase(ports, workspace, contact)


def _erase(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    _keep_hashes(ports, workspace, contact)
    remove_opt_ins(ports, workspace, contact)
    ports.contacts.remove(workspace, contact)
    _sweep(ports, workspace, ContactUid(contact.uid))


def _keep_hashes(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    """Whoever said no has said it also to the next import of the same address."""
    for uid, address in hashes_of(ports, workspace, contact).items():
        for block in _blocks_of(ports, contact):
            if block.address is address:
                list_block(ports, workspace, uid, block)
    disown(ports, workspace, contact)


def _blocks_of(ports: Ports, contact: Contact) -> Iterator[Block]:
    now = ports.clock.now()
    if reason := _BY_STATUS.get(contact.status):
        yield from (Block(address=kind, reason=reason, at=now) for kind in AddressKind)
    for channel_type, said in contact.consent.items():
        address = kind_of(ports, contact, channel_type)
        for message_type, state in said.items():
            if address and state is ConsentState.REVOKED:
                yield Block(
                    address=address,
                    channel_type=channel_type,
                    message_type=message_type,
                    reason=SuppressionReason.REVOKED,
                    at=now,
                )


def _sweep(ports: Ports, workspace: WorkspaceUid, uid: ContactUid) -> None:
    ports.events.remove_all(workspace, uid)
    ports.consents.remove_all(workspace, uid)
    for flow_uid in ports.executions.flows_of(workspace, uid):
        flow = ports.catalog.find(workspace, Flow, flow_uid)
        if flow is not None:
            _forget_rows(ports, workspace, flow, uid)


def _forget_rows(ports: Ports, workspace: WorkspaceUid, flow: Flow, uid: ContactUid) -> None:
    """A row under a live claim is left to the job. A new `seq` outdates the copies that workers hold of a row."""
    real_now, now = ports.clock.real(), ports.clock.now()
    free = [row for row in rows_of(ports, workspace, flow, uid) if row.claim is None or row.claim.until <= real_now]
    known = [row for row in free if row.is_open or row.forgotten() != row]
    saves = [Save(replace(row.forgotten(), seq=row.seq + 1, due=None), Unclaimed(row.seq, real_now)) for row in known]
    held = ports.executions.save_many(saves, flow.shards) if saves else ()
    saved = [save.row for save, ok in zip(saves, held, strict=True) if ok and save.row.is_open]
    if saved:
        send_hints(ports, [DueHint(hint_of(row.key, row.seq), now) for row in saved])


def rows_of(ports: Ports, workspace: WorkspaceUid, flow: Flow, uid: ContactUid) -> list[Execution]:
    """All of a contact's walks through a flow, by entry."""
    rows: list[Execution] = []
    while len(rows) % _TOGETHER == 0:
        first = len(rows) + 1
        keys = [ExecutionKey(workspace, FlowUid(flow.uid), uid, first + number) for number in range(_TOGETHER)]
        found = ports.executions.find_many(keys, flow.shards)
        rows += [found[key] for key in keys if key in found]
        if not found:
            break
    return rows
