"""The port of contact events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.model.event import Event, Histories, HistoryQuery
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports.pages import Page


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A reported event, and whether it must still be processed.

    `is_unprocessed` is false after `Events.finish`, or if another event has the same id.
    """

    event: Event
    is_unprocessed: bool


class Events(Protocol):
    """Events of contacts. Kept for EVENT_LIFE; an id is unique within a workspace."""

    def add_many(self, workspace: WorkspaceUid, events: Sequence[Event]) -> tuple[StoredEvent, ...]:
        """Store the events that are new and return all of them in order.

        An event stays unprocessed until `finish`, however often it is reported.
        """

    def finish(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        """Mark events as processed, once everything that they trigger has been done."""

    def page(
        self, workspace: WorkspaceUid, contact: ContactUid, names: frozenset[str] | None, limit: int, cursor: str | None
    ) -> Page[Event]:
        """List the events of a contact, newest first, optionally only those with these names; strongly consistent."""

    def find_many(self, workspace: WorkspaceUid, contacts: Sequence[ContactUid], wanted: HistoryQuery) -> Histories:
        """Return the matching events of each contact, newest first; strongly consistent."""

    def find_unpublished(self, before: datetime) -> Iterator[tuple[WorkspaceUid, Event]]:
        """Yield unpublished events: stored with a contact before this time, and not passed to `add_many` since.

        Eventually consistent.
        """

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Delete all events of a contact; no error for a contact without events."""

    def anonymise_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Remove properties and ids from the events of a contact; names and times stay. None is published any more."""
