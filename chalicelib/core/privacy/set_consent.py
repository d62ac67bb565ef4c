"""Change the consent of a contact for one kind of message, record its source, and list earlier changes."""

from chalicelib.core.contacts.consent_changes import build_record
from chalicelib.core.contacts.save_contact import get_contact
from chalicelib.core.contacts.store_with_events import update_contact
from chalicelib.core.contacts.sync_suppressions import TRIES, with_suppressions
from chalicelib.core.privacy.suppress_address import remove_block
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.consent import ConsentRecord, ConsentSource
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import SuppressionBlock
from chalicelib.ports import Page, Ports

#: Channel type and message type that a consent applies to.
Kind = tuple[str, MessageType]


def set_consent(
    ports: Ports, workspace: WorkspaceUid, uid: str, kind: Kind, state: ConsentState, origin: ConsentSource
) -> Contact:
    """Set a consent. Raise NotFound. After a revocation returns, no send that it forbids begins.

    A new grant also lifts the contact's own earlier opt-out from the suppression list. Bounces, complaints and blocks
    by an operator stay.
    """
    for _ in range(TRIES):
        before = get_contact(ports, workspace, uid)
        if state is ConsentState.GRANTED:
            remove_block(ports, workspace, before, lambda block: _is_lifted(block, kind))
        after = with_suppressions(ports, workspace, [before.with_consent(*kind, state)])[0]
        now = ports.clock.now()
        record = build_record(*kind, state, origin, now)
        if after.rev == before.rev and after == before and _is_recorded(ports, workspace, record, uid):
            return before
        try:
            changed = after.model_copy(update={"updated_at": now})
            return update_contact(ports, workspace, before, changed, None, [record])
        except Conflict:
            continue
    raise RetryLater("The contact has too many concurrent changes; retry the request")


def list_consents(
    ports: Ports, workspace: WorkspaceUid, uid: str, limit: int, cursor: str | None
) -> Page[ConsentRecord]:
    """Return the consent changes of a contact, newest first. Raise NotFound."""
    get_contact(ports, workspace, uid)
    return ports.consents.page(workspace, ContactUid(uid), limit, cursor)


def _is_lifted(block: SuppressionBlock, kind: Kind) -> bool:
    return block.reason.is_by_contact and block.covers(*kind)


def _is_recorded(ports: Ports, workspace: WorkspaceUid, record: ConsentRecord, uid: str) -> bool:
    """Return whether the newest record of this kind is the same. A repeated call then adds no record."""
    newest = ports.consents.page(workspace, ContactUid(uid), 100, None).items
    last = next((each for each in newest if _kind(each) == _kind(record)), None)
    return last is not None and last.model_copy(update={"at": record.at}) == record


def _kind(record: ConsentRecord) -> Kind:
    return record.channel_type, record.message_type
