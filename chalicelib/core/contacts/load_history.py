"""Load the event history of a contact for steps and filters."""

from chalicelib.model.conditions import MAX_RECALLED
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports


def load_event_history(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, names: frozenset[str]
) -> tuple[Event, ...]:
    """Return the newest events with these names, newest first, at most MAX_RECALLED."""
    return ports.events.page(workspace, ContactUid(contact.uid), names, MAX_RECALLED, None).items
