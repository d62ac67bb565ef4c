"""What a contact did, for the steps and filters that ask for it."""

from chalicelib.model.conditions import MAX_RECALLED
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports


def load_event_history(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, names: frozenset[str]
) -> tuple[Event, ...]:
    """The contact's newest events of these names, newest first, MAX_RECALLED at most."""
    return ports.events.page(workspace, ContactUid(contact.uid), names, MAX_RECALLED, None).items
