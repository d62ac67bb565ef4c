"""Finds executions: a page of a flow's, one of them, those of a contact, and the flows of a contact."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.errors import NotFound, invalid
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid
from chalicelib.model.skip_reason import SkipReason
from chalicelib.ports import Page, Ports

#: Rows read for one page of a filtered list; a page may be short, its cursor goes on.
MOST_READ = 5_000
#: A page counts for so many rows at least, as the shards of a large flow may be empty.
_LEAST_READ = 50
#: Rows read at once where many of them may not be wanted.
_READ = 500
Keep = Callable[[Execution], bool]


@dataclass(frozen=True, slots=True)
class _Place:
    """`skip` rows behind a page of the store that begins at `position`: the store can only cut between its pages."""

    shard: int = 0
    skip: int = 0
    position: str | None = None

    def __str__(self) -> str:
        return f"{self.shard}|{self.skip}|{self.position or ''}"


def list_executions(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, keep: Keep | None, limit: int, cursor: str | None
) -> Page[Execution]:
    """Rows in shard and key order, all of them or those to `keep`."""
    place = _read_cursor(cursor)
    found: list[Execution] = []
    looked_at = 0
    size = _READ if keep else limit
    while place.shard < flow.shards and looked_at < MOST_READ:
        page = ports.executions.page(workspace, FlowUid(flow.uid), place.shard, size, place.position)
        behind = _behind(place, page)
        looked_at += max(len(page.items), _LEAST_READ)
        for index, row in enumerate(page.items[place.skip :], start=place.skip + 1):
            shown = as_shown(flow, row)
            found += [shown] if keep is None or keep(shown) else []
            if len(found) == limit:
                at = replace(place, skip=index) if index < len(page.items) else behind
                return Page(tuple(found), str(at) if at.shard < flow.shards else None)
        place = behind
    return Page(tuple(found), str(place) if place.shard < flow.shards else None)


def _behind(place: _Place, page: Page[Execution]) -> _Place:
    if page.cursor is None:
        return _Place(place.shard + 1)
    return _Place(place.shard, max(0, place.skip - len(page.items)), page.cursor)


def _read_cursor(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place()
    shard, skip, position = (*cursor.split("|", 2), "", "")[:3]
    if not shard.isdecimal() or not skip.isdecimal():
        raise invalid("cursor", "This cursor is not one of this list")
    return _Place(int(shard), int(skip), position or None)


def as_shown(flow: Flow, row: Execution) -> Execution:
    """Open rows of a cancelled flow that nobody holds read as skipped(cancelled), before the sweep has come by."""
    if flow.status is FlowStatus.CANCELLED and row.is_open and row.claim is None:
        return replace(row, status=ExecutionStatus.SKIPPED, reason=SkipReason.CANCELLED, due=None, asleep=False)
    return row


def get_execution(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, contact: str, entry: int | None = None
) -> Execution:
    """Of a contact that entered several times the newest walk, or that of one entry; NotFound when there is none."""
    if entry is None:
        found = find_executions(ports, workspace, flow, contact, 1)
    else:
        key = ExecutionKey(workspace, FlowUid(flow.uid), ContactUid(contact), entry)
        row = ports.executions.find_many([key], flow.shards, strong=True).get(key)
        found = (as_shown(flow, row),) if row else ()
    if not found:
        raise NotFound("Execution of contact", contact)
    return found[0]


def find_executions(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, contact: str, limit: int
) -> tuple[Execution, ...]:
    """The contact's walks through the flow, newest first: one, but in an event campaign."""
    rows = ports.executions.find_entries(workspace, FlowUid(flow.uid), ContactUid(contact), flow.shards, limit)
    return tuple(as_shown(flow, row) for row in rows)


def flows_of_contact(ports: Ports, workspace: WorkspaceUid, contact: str) -> list[Flow]:
    """Flows in which the contact is, newest first."""
    uids = dict.fromkeys(ports.executions.find_flows(workspace, ContactUid(contact)))
    flows = [ports.catalog.find(workspace, Flow, uid) for uid in uids]
    return [flow for flow in flows if flow is not None]
