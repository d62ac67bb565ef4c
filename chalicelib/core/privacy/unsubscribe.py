"""Ends kinds of messages for a contact who asked for it by a link: no key, no log-in, at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.core.contacts.consent_changes import consent_changes
from chalicelib.core.contacts.store_with_events import update_contact
from chalicelib.core.contacts.sync_suppressions import TRIES, address_kind_for, hashes_of, with_suppressions
from chalicelib.core.privacy.set_consent import Kind
from chalicelib.core.privacy.suppress_address import add_block
from chalicelib.errors import Conflict, NotFound, RetryLater
from chalicelib.model.consent import ConsentSource
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.signing import UNSUBSCRIBE, verify_token
from chalicelib.model.suppression import SuppressionBlock, SuppressionReason
from chalicelib.ports import Ports


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link is about; `contact` is None when it is gone, and then there is nothing to end."""

    workspace: WorkspaceUid
    uid: ContactUid
    kind: Kind
    contact: Contact | None


def read_subscription(ports: Ports, token: str) -> Subscription:
    """NotFound for a token that is not ours."""
    parts = verify_token(ports.secret(), UNSUBSCRIBE, token, 4)
    if parts is None:
        raise NotFound("Link", token[:12])
    workspace, uid = WorkspaceUid(parts[0]), ContactUid(parts[1])
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    return Subscription(workspace, uid, (parts[2], MessageType(parts[3])), contact)


def unsubscribe(ports: Ports, link: Subscription, kinds: Sequence[Kind], source: str) -> None:
    """When this returns, no send of these kinds to the contact begins. Harmless when it is done twice."""
    for _ in range(TRIES):
        before = ports.contacts.find_many(link.workspace, [link.uid], strong=True).get(link.uid)
        if before is None:
            return
        for kind in kinds:
            _list(ports, link.workspace, before, kind)
        after = before
        for kind in kinds:
            after = after.with_consent(*kind, ConsentState.REVOKED)
        after = with_suppressions(ports, link.workspace, [after])[0]
        if after == before:
            return
        now = ports.clock.now()
        said = consent_changes(before, after, ConsentSource(source=source), now)
        try:
            update_contact(ports, link.workspace, before, after.model_copy(update={"updated_at": now}), None, said)
        except Conflict:
            continue
        return
    raise RetryLater("The contact is being changed by many at once")


def _list(ports: Ports, workspace: WorkspaceUid, contact: Contact, kind: Kind) -> None:
    """The address goes on the list too: it outlives the record, should the contact be deleted and come again."""
    address = address_kind_for(ports, contact, kind[0])
    if address is None:
        return
    uid = next(uid for uid, of in hashes_of(ports, workspace, contact).items() if of is address)
    block = SuppressionBlock(
        address=address,
        channel_type=kind[0],
        message_type=kind[1],
        reason=SuppressionReason.ONE_CLICK,
        at=ports.clock.now(),
    )
    add_block(ports, workspace, uid, block, contact.uid)
