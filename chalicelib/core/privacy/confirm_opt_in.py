"""Takes a contact's confirmation of what they agree to, by the link that only they have got."""

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
    """What a link is about. `is_open`: it can be confirmed; neither open nor confirmed is too late."""

    workspace: WorkspaceUid
    uid: ContactUid
    kind: Kind
    is_open: bool
    is_confirmed: bool


def read_confirmation(ports: Ports, token: str) -> Confirmation:
    """NotFound for a token that is not ours, or whose contact is gone."""
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
    """The contact has agreed, and the link proves it; confirming again changes nothing."""
    found = read_confirmation(ports, token)
    if not found.is_open:
        return found
    origin = ConsentSource(
        source="double_opt_in", proof="Confirmed by the signed link that was sent to the contact's address"
    )
    set_consent(ports, found.workspace, found.uid, found.kind, ConsentState.GRANTED, origin)
    return replace(found, is_open=False, is_confirmed=True)


def token_fingerprint(ports: Ports, workspace: WorkspaceUid, contact: Contact, channel_type: str) -> str:
    """Binds a link to the address that it is sent to: it proves nothing of another one."""
    channel = ports.channel_types.get(channel_type)
    address = (channel.address_of(contact) if channel else None) or ""
    kind = address_kind_for(ports, contact, channel_type) or AddressKind.EMAIL
    return hash_address(ports.secret(), workspace, kind, address)[:16]
