"""Remembers, for some time, that a medium does not reach a contact: the next SEND goes to its fallback at once."""

from datetime import timedelta

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.contact import ChannelUnreachable, Contact, hash_address_for_reach
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports

#: People get new phones and new apps; one refused try a week is cheap.
BELIEVED = timedelta(days=7)
TRIES = 8
#: As many as a contact keeps, the newest.
KEPT = 10


def mark_unreachable(ports: Ports, workspace: WorkspaceUid, uid: ContactUid, channel_type: str) -> None:
    """Of the address that the contact has now. Harmless twice, and for a contact that is gone."""
    for _ in range(TRIES):
        contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
        address = ports.channel_types[channel_type].address_of(contact) if contact else None
        if contact is None or address is None:
            return
        now = ports.clock.now()
        if contact.is_unreachable(channel_type, address, now):
            return
        entry = ChannelUnreachable(
            channel_type=channel_type, address=hash_address_for_reach(address), until=now + BELIEVED
        )
        try:
            ports.contacts.save(workspace, contact, _with(contact, entry))
        except Conflict:
            continue
        return
    raise RetryLater("The contact is being changed by many at once")


def _with(contact: Contact, entry: ChannelUnreachable) -> Contact:
    others = [each for each in contact.unreachable if each.channel_type != entry.channel_type]
    return contact.model_copy(update={"unreachable": (*others, entry)[-KEPT:]})
