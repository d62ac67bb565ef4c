"""Tells what happened to a contact, from all places where it is kept, newest first."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.campaigns.compiled_version import graph_of
from chalicelib.core.contacts.save_contact import get_contact
from chalicelib.core.privacy.erase_contact import rows_of
from chalicelib.core.reporting.list_executions import flows_of_contact
from chalicelib.core.reporting.timeline import (
    TimelineCursor,
    TimelineEntry,
    consent_entries,
    event_entry,
    execution_entries,
    newest,
)
from chalicelib.errors import GiveUp, invalid
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, NodeId, WorkspaceUid
from chalicelib.model.steps import ChangeTags
from chalicelib.nodes.tag import Tag
from chalicelib.ports import Page, Ports

#: Flows of a contact that are looked into: the newest. Older messages are found by their flow.
MAX_FLOWS = 200
#: Words on consent that are looked at together.
_CONSENTS = 200


@dataclass(frozen=True, slots=True)
class _From:
    """Where a page starts: behind what was seen, and where in the events, of which there may be very many."""

    seen: TimelineCursor
    events: str | None

    def __str__(self) -> str:
        until = self.seen.until.isoformat() if self.seen.until else None
        return json.dumps([until, sorted(self.seen.marks), self.events])


def contact_timeline(
    ports: Ports, workspace: WorkspaceUid, uid: str, limit: int, cursor: str | None
) -> Page[TimelineEntry]:
    """NotFound. Enrolments, messages, engagement, tags, words on consent and events."""
    get_contact(ports, workspace, uid)
    contact, start = ContactUid(uid), _read(cursor)
    pages = _read_events(ports, workspace, contact, start, limit)
    told = [entry for page in pages for entry in page.entries]
    entries = newest([*told, *_tell_rest(ports, workspace, contact)], start.seen, limit)
    shown = tuple(entries[:limit])
    if len(entries) <= limit and pages[-1].after is None:
        return Page(shown)
    seen = start.seen.with_all(shown)
    # The first page of events of which not everything was shown is read again.
    left = next((page.before for page in pages if not all(map(seen.has, page.entries))), pages[-1].after)
    return Page(shown, str(_From(seen, left)))


@dataclass(frozen=True, slots=True)
class _Events:
    """A page of events, the cursor by which it was read and that of the next."""

    before: str | None
    entries: list[TimelineEntry]
    after: str | None


def _read_events(ports: Ports, workspace: WorkspaceUid, contact: ContactUid, start: _From, limit: int) -> list[_Events]:
    """As many as a page could show, besides those that were shown before."""
    pages: list[_Events] = []
    position, fresh = start.events, 0
    while fresh <= limit:
        page = ports.events.page(workspace, contact, None, limit + 1, position)
        entries = [event_entry(event) for event in page.items]
        pages.append(_Events(position, entries, page.cursor))
        fresh += sum(not start.seen.has(entry) for entry in entries)
        position = page.cursor
        if position is None:
            break
    return pages


def _read(cursor: str | None) -> _From:
    match json.loads(cursor) if cursor and cursor.startswith("[") else None:
        case None if cursor is None:
            return _From(TimelineCursor(), None)
        case [str(until), list(marks), str() | None as events]:
            return _From(TimelineCursor(datetime.fromisoformat(until), frozenset(map(str, marks))), events)
        case _:
            raise invalid("cursor", "This cursor is not one of this list")


def _tell_rest(ports: Ports, workspace: WorkspaceUid, contact: ContactUid) -> Iterator[TimelineEntry]:
    for record in ports.consents.page(workspace, contact, _CONSENTS, None).items:
        yield consent_entries(record)
    for flow in flows_of_contact(ports, workspace, contact)[:MAX_FLOWS]:
        for row in rows_of(ports, workspace, flow, contact):
            yield from execution_entries(row, flow.campaign_uid, _tags(ports, workspace, flow, row))


def _tags(ports: Ports, workspace: WorkspaceUid, flow: Flow, row: Execution) -> Mapping[NodeId, ChangeTags]:
    """What the TAGs of the row's version change; nothing where the version is gone."""
    version = ports.versions.find_version(workspace, Campaign, flow.campaign_uid, row.version, CampaignVersion)
    if version is None or not row.path:
        return {}
    try:
        graph = graph_of(ports, workspace, version)
    except GiveUp:
        return {}
    tags = ((node.id, node.step) for node in graph)
    return {uid: ChangeTags(step.add, step.remove) for uid, step in tags if isinstance(step, Tag)}
