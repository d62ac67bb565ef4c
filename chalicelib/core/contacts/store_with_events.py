"""Stores contacts together with what their change tells to those who listen, and tells it."""

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

#: News that nobody was told of for this long has lost its message.
FORGOTTEN = timedelta(minutes=2)


def subscribed_events(ports: Ports, workspace: WorkspaceUid) -> frozenset[str]:
    """Names of events that somebody listens to; read anew, since a campaign that was launched shall miss nobody."""
    found = find_subscriptions(ports, workspace)
    return found.names if found else frozenset()


def add_contact(ports: Ports, workspace: WorkspaceUid, contact: Contact, said: Sequence[ConsentRecord] = ()) -> None:
    """Adds a contact with what it said of consent; Conflict as the port says."""
    news = contact_change_events(None, contact, subscribed_events(ports, workspace))
    ports.contacts.add(workspace, contact, news, said)
    _tell(ports, workspace, news)


def add_contacts(
    ports: Ports,
    workspace: WorkspaceUid,
    contacts: Sequence[Contact],
    names: frozenset[str],
    said: Mapping[str, Sequence[ConsentRecord]] | None = None,
) -> tuple[ContactUid, ...]:
    """Adds up to 25 contacts and returns those that Conflict kept out; `names` are those listened to."""
    news = {contact.uid: contact_change_events(None, contact, names) for contact in contacts}
    refused = ports.contacts.add_many(workspace, contacts, news, said)
    _tell(ports, workspace, [event for uid, events in news.items() if uid not in refused for event in events])
    return refused


def update_contact(
    ports: Ports,
    workspace: WorkspaceUid,
    before: Contact,
    after: Contact,
    names: frozenset[str] | None = None,
    said: Sequence[ConsentRecord] = (),
) -> Contact:
    """Saves a contact; `names` are those listened to, if the caller has read them. Conflict as the port says."""
    news = contact_change_events(before, after, subscribed_events(ports, workspace) if names is None else names)
    saved = ports.contacts.save(workspace, before, after, news, said)
    _tell(ports, workspace, news)
    return saved


def _tell(ports: Ports, workspace: WorkspaceUid, news: Sequence[Event]) -> None:
    """What cannot be told now is found by `republish_events`."""
    if news:
        with suppress(RetryLater):
            ports.event_queue.send(workspace, news)


def republish_events(ports: Ports) -> int:
    """Tells the news whose message was lost, once more; the clock does so every minute. Returns how many."""
    forgotten = list(ports.events.find_unpublished(ports.clock.now() - FORGOTTEN * ports.clock.speed))
    for workspace, entries in groupby(forgotten, key=lambda entry: entry[0]):
        ports.event_queue.send(workspace, [event for _, event in entries])
    return len(forgotten)
