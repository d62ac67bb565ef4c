"""Keeps contacts true to the suppression list: its word is copied to every contact that has such an address."""

from collections.abc import Sequence

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.signing import hash_address
from chalicelib.model.suppression import AddressKind, Suppression
from chalicelib.ports import Ports

#: Tries of a read and conditional write against others who change the same contact or entry.
TRIES = 8


def with_suppressions(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[Contact]) -> list[Contact]:
    """The contacts, not stored, with what the list says of their addresses now."""
    listed = _find_listed(ports, workspace, contacts)
    return [_with_blocks(ports, workspace, contact, listed) for contact in contacts]


def resync_suppressions(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[Contact]) -> list[Contact]:
    """After new addresses were stored: whoever put one on the list meanwhile did not find its contact yet.

    Tells the list whose the addresses are, so that taking one off it finds the contact. Returns them as stored.
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
    """Writes what the list says now to the contact; None when it is gone."""
    for _ in range(TRIES):
        contact = ports.contacts.find_many(workspace, [ContactUid(uid)], strong=True).get(ContactUid(uid))
        if contact is None:
            return None
        heeded = with_suppressions(ports, workspace, [contact])[0]
        if heeded == contact:
            return contact
        try:
            return ports.contacts.save(workspace, contact, heeded)
        except Conflict:
            continue
    raise RetryLater("The contact is being changed by many at once")


def hashes_of(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> dict[str, AddressKind]:
    """Under which hashes the list would have the contact's addresses."""
    known = {AddressKind.EMAIL: contact.email, AddressKind.PHONE: contact.phone}
    return {hash_address(ports.secret(), workspace, kind, address): kind for kind, address in known.items() if address}


def address_kind_for(ports: Ports, contact: Contact, channel_type: str) -> AddressKind | None:
    """Which of the contact's addresses a channel type uses, None for none of them."""
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
    raise RetryLater("The suppression list is being changed by many at once")
