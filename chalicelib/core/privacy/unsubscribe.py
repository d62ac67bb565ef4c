"""Unsubscribe a contact with a signed link, without an API key or a login."""

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
    """Content of an unsubscribe link. `contact` is None after its deletion; there is nothing to unsubscribe then."""

    workspace: WorkspaceUid
    uid: ContactUid
    kind: Kind
    contact: Contact | None


def read_subscription(ports: Ports, token: str) -> Subscription:
    """Read an unsubscribe link. Raise NotFound when the signature is wrong."""
    parts = verify_token(ports.secret(), UNSUBSCRIBE, token, 4)
    if parts is None:
        raise NotFound("Link", token[:12])
    workspace, uid = WorkspaceUid(parts[0]), ContactUid(parts[1])
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    return Subscription(workspace, uid, (parts[2], MessageType(parts[3])), contact)


def unsubscribe(ports: Ports, link: Subscription, kinds: Sequence[Kind], source: str) -> None:
    """Revoke the consents of these kinds. After the return no such send begins. A second call changes nothing."""
    for _ in range(TRIES):
        before = ports.contacts.find_many(link.workspace, [link.uid], strong=True).get(link.uid)
        if before is None:
            return
        for kind in kinds:
            _suppress(ports, link.workspace, before, kind)
        after = before
        for kind in kinds:
            after = after.with_consent(*kind, ConsentState.REVOKED)
        after = with_suppressions(ports, link.workspace, [after])[0]
        if after == before:
            return
        now = ports.clock.now()
        records = consent_changes(before, after, ConsentSource(source=source), now)
        try:
            update_contact(ports, link.workspace, before, after.model_copy(update={"updated_at": now}), None, records)
        except Conflict:
            continue
        return
    raise RetryLater("The contact has too many concurrent changes; retry the request")


def _suppress(ports: Ports, workspace: WorkspaceUid, contact: Contact, kind: Kind) -> None:
    """Add the address to the suppression list, so that the opt-out survives a deletion and a new import."""
    address = address_kind_for(ports, contact, kind[0])
    if address is None:
        return
    uid = next(uid for uid, hashed in hashes_of(ports, workspace, contact).items() if hashed is address)
    block = SuppressionBlock(
        address=address,
        channel_type=kind[0],
        message_type=kind[1],
        reason=SuppressionReason.ONE_CLICK,
        at=ports.clock.now(),
    )
    add_block(ports, workspace, uid, block, contact.uid)
