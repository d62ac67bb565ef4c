"""Confirm an opt-in with the signed link that was sent to the contact."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chalicelib.core.contacts.sync_suppressions import address_kind_for
from chalicelib.core.privacy.set_consent import Kind, set_consent
from chalicelib.errors import NotFound
from chalicelib.model.consent import ConsentSource
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.signing import CONFIRM, hash_address, verify_token
from chalicelib.model.suppression import AddressKind
from chalicelib.ports import Ports


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Content and state of a confirmation link.

    `is_open`: it can be confirmed. A link that is neither open nor confirmed has expired or is no longer valid.
    """

    workspace: WorkspaceUid
    uid: ContactUid
    kind: Kind
    is_open: bool
    is_confirmed: bool


def read_confirmation(ports: Ports, token: str) -> Confirmation:
    """Read a confirmation link. Raise NotFound when the signature is wrong or the contact does not exist."""
    parts = verify_token(ports.secret(), CONFIRM, token, 6)
    if parts is None:
        raise NotFound("Link", token[:12])
    workspace, uid, kind = WorkspaceUid(parts[0]), ContactUid(parts[1]), (parts[2], MessageType(parts[3]))
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    if contact is None:
        raise NotFound("Link", token[:12])
    state = contact.consent_to(*kind) if parts[5] == token_fingerprint(ports, workspace, contact, kind[0]) else None
    in_time = ports.clock.now() < datetime.fromtimestamp(int(parts[4]), UTC)
    is_open = state is ConsentState.PENDING and in_time
    return Confirmation(workspace, uid, kind, is_open, state is ConsentState.GRANTED)


def confirm_opt_in(ports: Ports, token: str) -> Confirmation:
    """Grant the consent of an open link. A link that is not open changes nothing."""
    confirmation = read_confirmation(ports, token)
    if not confirmation.is_open:
        return confirmation
    origin = ConsentSource(
        source="double_opt_in", proof="Confirmed by the signed link that was sent to the contact's address"
    )
    set_consent(ports, confirmation.workspace, confirmation.uid, confirmation.kind, ConsentState.GRANTED, origin)
    return replace(confirmation, is_open=False, is_confirmed=True)


def token_fingerprint(ports: Ports, workspace: WorkspaceUid, contact: Contact, channel_type: str) -> str:
    """Return a hash that binds a link to its address. After a change of address the link is invalid."""
    channel = ports.channel_types.get(channel_type)
    address = (channel.address_of(contact) if channel else None) or ""
    kind = address_kind_for(ports, contact, channel_type) or AddressKind.EMAIL
    return hash_address(ports.secret(), workspace, kind, address)[:16]
