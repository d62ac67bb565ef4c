"""Mark a contact as unreachable by a channel type for 7 days. SENDs then use their fallback."""

from datetime import timedelta

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.contact import ChannelUnreachable, Contact, hash_address_for_reach
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports

#: Contacts get new phones and apps, so the channel is tried again once a week.
UNREACHABLE_FOR = timedelta(days=7)
TRIES = 8
#: Newest entries that a contact keeps.
KEPT = 10


def mark_unreachable(ports: Ports, workspace: WorkspaceUid, uid: ContactUid, channel_type: str) -> None:
    """Mark the current address as unreachable. A repeated call or a deleted contact changes nothing."""
    for _ in range(TRIES):
        contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
        address = ports.channel_types[channel_type].address_of(contact) if contact else None
        if contact is None or address is None:
            return
        now = ports.clock.now()
        if contact.is_unreachable(channel_type, address, now):
            return
        entry = ChannelUnreachable(
            channel_type=channel_type, address=hash_address_for_reach(address), until=now + UNREACHABLE_FOR
        )
        try:
            ports.contacts.save(workspace, contact, _with(contact, entry))
        except Conflict:
            continue
        return
    raise RetryLater("The contact has too many concurrent changes; retry the request")


def _with(contact: Contact, entry: ChannelUnreachable) -> Contact:
    others = [each for each in contact.unreachable if each.channel_type != entry.channel_type]
    return contact.model_copy(update={"unreachable": (*others, entry)[-KEPT:]})
