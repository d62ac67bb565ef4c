"""Finds executions: a page of a flow's, one of them, those of a contact, and the flows of a contact."""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.errors import NotFound, invalid
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid
from chalicelib.ports import Page, Ports

#: Rows read for one page of a filtered list; a page may be short, its cursor goes on.
MOST_READ = 5_000
_READ = 200
Keep = Callable[[Execution], bool]


def list_executions(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, keep: Keep, limit: int, cursor: str | None
) -> Page[Execution]:
    """Rows in shard and key order; the cursor is the last row's shard and the store's position in it."""
    shard, position = _read_cursor(cursor)
    found: list[Execution] = []
    looked_at = 0
    while shard < flow.shards:
        page = ports.executions.page(workspace, FlowUid(flow.uid), shard, min(_READ, limit - len(found)), position)
        looked_at += len(page.items)
        found += [row for row in (as_shown(flow, each) for each in page.items) if keep(row)]
        shard, position = (shard, page.cursor) if page.cursor else (shard + 1, None)
        if len(found) >= limit or looked_at >= MOST_READ:
            break
    return Page(tuple(found), f"{shard}|{position or ''}" if shard < flow.shards else None)


def _read_cursor(cursor: str | None) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    shard, bar, position = cursor.partition("|")
    if not bar or not shard.isdecimal():
        raise invalid("cursor", "This cursor is not one of this list")
    return int(shard), position or None


def as_shown(flow: Flow, row: Execution) -> Execution:
    """Open rows of a cancelled flow that nobody holds read as skipped(cancelled), before the sweep has come by."""
    if flow.status is FlowStatus.CANCELLED and row.is_open and row.claim is None:
        return replace(row, status=ExecutionStatus.SKIPPED, reason="cancelled", due=None, asleep=False)
    return row


def get_execution(ports: Ports, workspace: WorkspaceUid, flow: Flow, contact: str) -> Execution:
    """NotFound when the contact is not in the flow."""
    key = ExecutionKey(workspace, FlowUid(flow.uid), ContactUid(contact))
    row = ports.executions.find_many([key], flow.shards).get(key)
    if row is None:
        raise NotFound("Execution of contact", contact)
    return as_shown(flow, row)


def flows_of_contact(ports: Ports, workspace: WorkspaceUid, contact: str) -> list[Flow]:
    """Flows in which the contact is, newest first."""
    uids = ports.executions.flows_of(workspace, ContactUid(contact))
    flows = [ports.catalog.find(workspace, Flow, uid) for uid in uids]
    return [flow for flow in flows if flow is not None]
