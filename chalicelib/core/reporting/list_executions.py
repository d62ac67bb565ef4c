"""List the executions of a flow or of a contact, get one of them, and find the flows of a contact."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.errors import NotFound, invalid
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid
from chalicelib.model.skip_reason import SkipReason
from chalicelib.ports import Page, Ports

#: Most executions read for one page of a filtered list. A page may be short; its cursor continues the list.
MAX_READ = 5_000
#: A read of the store counts as at least this many executions, because many shards of a large flow may be empty.
_MIN_READ = 50
#: Executions per read of a filtered list.
_PAGE = 500
Keep = Callable[[Execution], bool]


@dataclass(frozen=True, slots=True)
class _Position:
    """A position in the list: `skip` executions after the start of the store's page at `cursor`.

    The store can continue only between its pages.
    """

    shard: int = 0
    skip: int = 0
    cursor: str | None = None

    def __str__(self) -> str:
        return f"{self.shard}|{self.skip}|{self.cursor or ''}"


def list_executions(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, keep: Keep | None, limit: int, cursor: str | None
) -> Page[Execution]:
    """List executions in shard and key order: all of them, or those that `keep` accepts."""
    position = _read_cursor(cursor)
    matches: list[Execution] = []
    read = 0
    size = _PAGE if keep else limit
    while position.shard < flow.shards and read < MAX_READ:
        page = ports.executions.page(workspace, FlowUid(flow.uid), position.shard, size, position.cursor)
        following = _next_position(position, page)
        read += max(len(page.items), _MIN_READ)
        for index, execution in enumerate(page.items[position.skip :], start=position.skip + 1):
            visible = as_shown(flow, execution)
            matches += [visible] if keep is None or keep(visible) else []
            if len(matches) == limit:
                end = replace(position, skip=index) if index < len(page.items) else following
                return Page(tuple(matches), str(end) if end.shard < flow.shards else None)
        position = following
    return Page(tuple(matches), str(position) if position.shard < flow.shards else None)


def _next_position(position: _Position, page: Page[Execution]) -> _Position:
    if page.cursor is None:
        return _Position(position.shard + 1)
    return _Position(position.shard, max(0, position.skip - len(page.items)), page.cursor)


def _read_cursor(cursor: str | None) -> _Position:
    if cursor is None:
        return _Position()
    shard, skip, page_cursor = (*cursor.split("|", 2), "", "")[:3]
    if not shard.isdecimal() or not skip.isdecimal():
        raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")
    return _Position(int(shard), int(skip), page_cursor or None)


def as_shown(flow: Flow, execution: Execution) -> Execution:
    """Return the execution with its visible status.

    In a cancelled flow, an open execution without a claim counts as skipped before the sweep has changed it.
    """
    if flow.status is FlowStatus.CANCELLED and execution.is_open and execution.claim is None:
        return replace(execution, status=ExecutionStatus.SKIPPED, reason=SkipReason.CANCELLED, due=None, waiting=False)
    return execution


def get_execution(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, contact: str, entry: int | None = None
) -> Execution:
    """Return the contact's newest execution, or the one of an entry. Raises NotFound."""
    if entry is None:
        matches = find_executions(ports, workspace, flow, contact, 1)
    else:
        key = ExecutionKey(workspace, FlowUid(flow.uid), ContactUid(contact), entry)
        execution = ports.executions.find_many([key], flow.shards, strong=True).get(key)
        matches = (as_shown(flow, execution),) if execution else ()
    if not matches:
        raise NotFound("Execution of contact", contact)
    return matches[0]


def find_executions(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, contact: str, limit: int
) -> tuple[Execution, ...]:
    """Return the contact's executions of the flow, newest first. Only event campaigns have more than one."""
    matches = ports.executions.find_entries(workspace, FlowUid(flow.uid), ContactUid(contact), flow.shards, limit)
    return tuple(as_shown(flow, execution) for execution in matches)


def flows_of_contact(ports: Ports, workspace: WorkspaceUid, contact: str) -> list[Flow]:
    """Return the flows that have an execution of the contact, newest first."""
    uids = dict.fromkeys(ports.executions.find_flows(workspace, ContactUid(contact)))
    flows = [ports.catalog.find(workspace, Flow, uid) for uid in uids]
    return [flow for flow in flows if flow is not None]
