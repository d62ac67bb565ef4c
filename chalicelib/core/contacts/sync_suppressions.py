"""Copy the blocks of the suppression list to the contacts that have the addresses."""

from collections.abc import Sequence

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.signing import hash_address
from chalicelib.model.suppression import AddressKind, Suppression
from chalicelib.ports import Ports

#: Attempts of a read and conditional write when other workers change the same contact or entry.
TRIES = 8


def with_suppressions(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[Contact]) -> list[Contact]:
    """Return the contacts with the current blocks of their addresses. Nothing is stored."""
    listed = _find_listed(ports, workspace, contacts)
    return [_with_blocks(ports, workspace, contact, listed) for contact in contacts]


def resync_suppressions(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[Contact]) -> list[Contact]:
    """Copy blocks again after new addresses were stored, and return the stored contacts.

    A block that was added before the contact was stored did not find the contact. The entries also get the contact's
    uid, so that a removal finds it.
    """
    listed = _find_listed(ports, workspace, contacts)
    for contact in contacts:
        for uid in hashes_of(ports, workspace, contact):
            if uid in listed and listed[uid].contact_uid != contact.uid:
                _adopt(ports, workspace, uid, contact.uid)
    return [
        contact
        if _with_blocks(ports, workspace, contact, listed) == contact
        else sync_suppressions(ports, workspace, contact.uid) or contact
        for contact in contacts
    ]


def sync_suppressions(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact | None:
    """Save the current blocks in a contact. Return None when the contact does not exist."""
    for _ in range(TRIES):
        contact = ports.contacts.find_many(workspace, [ContactUid(uid)], strong=True).get(ContactUid(uid))
        if contact is None:
            return None
        updated = with_suppressions(ports, workspace, [contact])[0]
        if updated == contact:
            return contact
        try:
            return ports.contacts.save(workspace, contact, updated)
        except Conflict:
            continue
    raise RetryLater("The contact has too many concurrent changes; retry the request")


def hashes_of(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> dict[str, AddressKind]:
    """Return the hashes of the contact's addresses, as used in the suppression list."""
    known = {AddressKind.EMAIL: contact.email, AddressKind.PHONE: contact.phone}
    return {hash_address(ports.secret(), workspace, kind, address): kind for kind, address in known.items() if address}


def address_kind_for(ports: Ports, contact: Contact, channel_type: str) -> AddressKind | None:
    """Return the kind of address that a channel type uses for the contact, or None."""
    channel = ports.channel_types.get(channel_type)
    address = channel.address_of(contact) if channel else None
    return next((kind for kind in AddressKind if address and getattr(contact, kind) == address), None)


def _find_listed(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[Contact]) -> dict[str, Suppression]:
    wanted = list({uid for contact in contacts for uid in hashes_of(ports, workspace, contact)})
    return ports.catalog.find_many(workspace, Suppression, wanted) if wanted else {}


def _with_blocks(ports: Ports, workspace: WorkspaceUid, contact: Contact, listed: dict[str, Suppression]) -> Contact:
    uids = hashes_of(ports, workspace, contact) if listed or contact.suppressed else {}
    blocks = tuple(block for uid in uids if uid in listed for block in listed[uid].blocks)
    return contact if blocks == contact.suppressed else contact.model_copy(update={"suppressed": blocks})


def _adopt(ports: Ports, workspace: WorkspaceUid, uid: str, contact: str) -> None:
    for _ in range(TRIES):
        entry = ports.catalog.find(workspace, Suppression, uid)
        if entry is None or entry.contact_uid == contact:
            return
        try:
            ports.catalog.save(workspace, entry.model_copy(update={"contact_uid": contact}))
        except Conflict:
            continue
        return
    raise RetryLater("The suppression list entry has too many concurrent changes; retry the request")
