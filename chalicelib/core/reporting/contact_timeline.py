"""Build the timeline of a contact from executions, consent records and events, newest first."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.campaigns.compiled_version import graph_of
from chalicelib.core.contacts.save_contact import get_contact
from chalicelib.core.privacy.erase_contact import executions_of
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

#: Newest flows of a contact that the timeline reads. Older messages are listed under their flow.
MAX_FLOWS = 200
#: Newest consent records that the timeline reads.
_MAX_CONSENTS = 200


@dataclass(frozen=True, slots=True)
class _PageStart:
    """The start of a page: the entries shown before, and the cursor of the events, which may be very many."""

    seen: TimelineCursor
    events: str | None

    def __str__(self) -> str:
        until = self.seen.until.isoformat() if self.seen.until else None
        return json.dumps([until, sorted(self.seen.marks), self.events])


def contact_timeline(
    ports: Ports, workspace: WorkspaceUid, uid: str, limit: int, cursor: str | None
) -> Page[TimelineEntry]:
    """List enrolments, messages, engagement, tag changes, consent changes and events. Raises NotFound."""
    get_contact(ports, workspace, uid)
    contact, start = ContactUid(uid), _read_cursor(cursor)
    pages = _read_events(ports, workspace, contact, start, limit)
    events = [entry for page in pages for entry in page.entries]
    entries = newest([*events, *_stored_entries(ports, workspace, contact)], start.seen, limit)
    shown = tuple(entries[:limit])
    if len(entries) <= limit and pages[-1].after is None:
        return Page(shown)
    seen = start.seen.with_all(shown)
    # The next page starts at the first page of events that was not shown completely.
    resume = next((page.before for page in pages if not all(map(seen.has, page.entries))), pages[-1].after)
    return Page(shown, str(_PageStart(seen, resume)))


@dataclass(frozen=True, slots=True)
class _EventPage:
    """A page of events, with its own cursor and that of the next page."""

    before: str | None
    entries: list[TimelineEntry]
    after: str | None


def _read_events(
    ports: Ports, workspace: WorkspaceUid, contact: ContactUid, start: _PageStart, limit: int
) -> list[_EventPage]:
    """Read events until there are enough for one page, not counting those shown before."""
    pages: list[_EventPage] = []
    position, fresh = start.events, 0
    while fresh <= limit:
        page = ports.events.page(workspace, contact, None, limit + 1, position)
        entries = [event_entry(event) for event in page.items]
        pages.append(_EventPage(position, entries, page.cursor))
        fresh += sum(not start.seen.has(entry) for entry in entries)
        position = page.cursor
        if position is None:
            break
    return pages


def _read_cursor(cursor: str | None) -> _PageStart:
    match json.loads(cursor) if cursor and cursor.startswith("[") else None:
        case None if cursor is None:
            return _PageStart(TimelineCursor(), None)
        case [str(until), list(marks), str() | None as events]:
            return _PageStart(TimelineCursor(datetime.fromisoformat(until), frozenset(map(str, marks))), events)
        case _:
            raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")


def _stored_entries(ports: Ports, workspace: WorkspaceUid, contact: ContactUid) -> Iterator[TimelineEntry]:
    for record in ports.consents.page(workspace, contact, _MAX_CONSENTS, None).items:
        yield consent_entries(record)
    for flow in flows_of_contact(ports, workspace, contact)[:MAX_FLOWS]:
        for execution in executions_of(ports, workspace, flow, contact):
            yield from execution_entries(execution, flow.campaign_uid, _tags(ports, workspace, flow, execution))


def _tags(ports: Ports, workspace: WorkspaceUid, flow: Flow, execution: Execution) -> Mapping[NodeId, ChangeTags]:
    """Return the tag changes of the TAG steps; empty if the version is deleted or unreadable."""
    version = ports.versions.find_version(workspace, Campaign, flow.campaign_uid, execution.version, CampaignVersion)
    if version is None or not execution.path:
        return {}
    try:
        graph = graph_of(ports, workspace, version)
    except GiveUp:
        return {}
    tags = ((node.id, node.step) for node in graph)
    return {uid: ChangeTags(step.add, step.remove) for uid, step in tags if isinstance(step, Tag)}
