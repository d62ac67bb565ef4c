"""Store contacts with the events of their change in an outbox, and publish the events."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import groupby

from chalicelib.core.notifications.contact_events import contact_change_events
from chalicelib.core.notifications.manage_subscriptions import find_subscriptions
from chalicelib.errors import RetryLater
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Ports

#: Age after which an unpublished event counts as lost and is published again.
REPUBLISH_AFTER = timedelta(minutes=2)


def subscribed_events(ports: Ports, workspace: WorkspaceUid) -> frozenset[str]:
    """Return the names of subscribed events. Read without a cache, so that a new campaign misses no contact."""
    found = find_subscriptions(ports, workspace)
    return found.names if found else frozenset()


def add_contact(
    ports: Ports, workspace: WorkspaceUid, contact: Contact, consents: Sequence[ConsentRecord] = ()
) -> None:
    """Add a contact with its consent records. Raise Conflict when a unique field is in use."""
    events = contact_change_events(None, contact, subscribed_events(ports, workspace))
    ports.contacts.add(workspace, contact, events, consents)
    _publish(ports, workspace, events)


def add_contacts(
    ports: Ports,
    workspace: WorkspaceUid,
    contacts: Sequence[Contact],
    names: frozenset[str],
    consents: Mapping[str, Sequence[ConsentRecord]] | None = None,
) -> tuple[ContactUid, ...]:
    """Add up to 25 contacts and return the uids that conflict. `names`: subscribed events."""
    events_by_uid = {contact.uid: contact_change_events(None, contact, names) for contact in contacts}
    refused = ports.contacts.add_many(workspace, contacts, events_by_uid, consents)
    _publish(
        ports, workspace, [event for uid, events in events_by_uid.items() if uid not in refused for event in events]
    )
    return refused


def update_contact(
    ports: Ports,
    workspace: WorkspaceUid,
    before: Contact,
    after: Contact,
    names: frozenset[str] | None = None,
    consents: Sequence[ConsentRecord] = (),
) -> Contact:
    """Save a contact. Raise Conflict. `names`: subscribed events, when the caller has read them."""
    events = contact_change_events(before, after, subscribed_events(ports, workspace) if names is None else names)
    saved = ports.contacts.save(workspace, before, after, events, consents)
    _publish(ports, workspace, events)
    return saved


def _publish(ports: Ports, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
    """Publish events. `republish_events` repeats a failed publication."""
    if events:
        with suppress(RetryLater):
            ports.event_queue.send(workspace, events)


def republish_events(ports: Ports) -> int:
    """Publish lost events again, and return their number. A schedule calls this every minute."""
    unpublished = list(ports.events.find_unpublished(ports.clock.now() - REPUBLISH_AFTER * ports.clock.speed))
    for workspace, entries in groupby(unpublished, key=lambda entry: entry[0]):
        ports.event_queue.send(workspace, [event for _, event in entries])
    return len(unpublished)
