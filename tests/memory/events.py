"""Contact events in dicts."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b

from chalicelib.model.base import rfc3339
from chalicelib.model.event import Event, Histories, HistoryQuery
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.ports import Page, StoredEvent
from tests.memory.paging import cut_page


class MemoryEvents:
    """Implements `ports.Events` in memory."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], Event] = {}
        #: Workspace and id → event.
        self._known: dict[tuple[str, str], Event] = {}
        self._finished: set[tuple[str, str]] = set()
        self._unpublished: set[tuple[str, str]] = set()

    def add_many(self, workspace: WorkspaceUid, events: Sequence[Event]) -> tuple[StoredEvent, ...]:
        return tuple(StoredEvent(event, self._add(workspace, event)) for event in events)

    def _add(self, workspace: WorkspaceUid, event: Event) -> bool:
        key = (workspace, event.id)
        first = self._known.setdefault(key, event)
        if key in self._finished or _place(first) != _place(event):
            return False
        self._events[key] = event
        self._unpublished.discard(key)
        return True

    def add_unpublished(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        """Store the records of a change; called by the contacts in memory."""
        self._events.update({(workspace, event.id): event for event in events})
        self._unpublished.update((workspace, event.id) for event in events)

    def finish(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        self._finished.update((workspace, event.id) for event in events)

    def page(
        self, workspace: WorkspaceUid, contact: ContactUid, names: frozenset[str] | None, limit: int, cursor: str | None
    ) -> Page[Event]:
        found = [
            (f"{rfc3339(event.occurred_at)}#{event.id}", event)
            for (of, _), event in self._events.items()
            if (of, event.contact_uid) == (workspace, contact) and (names is None or event.name in names)
        ]
        return cut_page(f"{workspace}#{contact}", found, limit, cursor)

    def find_many(self, workspace: WorkspaceUid, contacts: Sequence[ContactUid], wanted: HistoryQuery) -> Histories:
        found = {uid: self.page(workspace, uid, wanted.names, 1_000_000, None).items for uid in contacts}
        return {
            uid: tuple(event for event in events if wanted.since is None or event.occurred_at >= wanted.since)[
                : wanted.limit
            ]
            for uid, events in found.items()
        }

    def find_unpublished(self, before: datetime) -> Iterator[tuple[WorkspaceUid, Event]]:
        found = [(WorkspaceUid(key[0]), self._events[key]) for key in sorted(self._unpublished)]
        return ((workspace, event) for workspace, event in found if event.occurred_at < before)

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        found = [key for key, event in self._events.items() if (key[0], event.contact_uid) == (workspace, contact)]
        for key in found:
            del self._events[key]
            self._unpublished.discard(key)

    def anonymise_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        for key, event in self._events.items():
            if (key[0], event.contact_uid) == (workspace, contact):
                hashed = blake2b(key[1].encode(), digest_size=20).hexdigest()
                self._events[key] = event.model_copy(update={"id": hashed, "properties": {}})
                self._unpublished.discard(key)


def _place(event: Event) -> tuple[str, datetime]:
    return event.contact_uid, event.occurred_at
