"""A new flow over just those contacts of another one whose messages failed, stayed unknown or were skipped."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.engine.progress import outcome_of
from chalicelib.errors import Conflict, invalid
from chalicelib.model.base import Outside
from chalicelib.model.execution import Execution, ExecutionStatus, Outcome
from chalicelib.model.flow import Flow, FlowStatus, RetryOf
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Ports
from chalicelib.usecases.create_flow import add_flow, retry_draft
from chalicelib.usecases.start_flow import start_flow

_PAGE = 500


class RetryWish(Outside):
    """The body of `POST /v1/flows/{uid}/retry`; `reason` narrows it to one failure or skip code."""

    of: Literal["failed", "unknown", "skipped"]
    reason: Annotated[str, Field(max_length=200)] | None = None


def retry_flow(ports: Ports, workspace: WorkspaceUid, uid: str, wish: RetryWish) -> Flow:
    """Conflict while the flow still runs, InvalidRequest when there is nobody to retry."""
    flow = ports.catalog.get(workspace, Flow, uid)
    if not flow.is_over and flow.status is not FlowStatus.PAUSED:
        raise Conflict("Only a flow that is paused or over can be retried", flow.status, ["paused"])
    entries = [entry for row in _rows(ports, workspace, flow) if (entry := _entry(row, wish))]
    if not entries:
        raise invalid("of", f"No execution of this flow is {wish.of}" + (f" by {wish.reason}" if wish.reason else ""))
    retry = RetryOf(flow_uid=uid, of=wish.of, reason=wish.reason)
    return start_flow(ports, workspace, add_flow(ports, workspace, retry_draft(ports, flow, retry), entries))


def _rows(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Iterator[Execution]:
    for shard in range(flow.shards):
        cursor = None
        while True:
            page = ports.executions.page(workspace, FlowUid(flow.uid), shard, _PAGE, cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                break


def _entry(row: Execution, wish: RetryWish) -> str | None:
    """`contact@node`: a failed walk goes on from where it failed; the others run the one node again."""
    if wish.of == "failed":
        matches = row.status is ExecutionStatus.FAILED and wish.reason in {None, row.reason}
        return f"{row.key.contact}@{row.node}" if matches and row.node else None
    wanted = Outcome(wish.of)
    for node, result in row.results.items():
        if outcome_of(result, row.receipts.get(node)) is wanted and wish.reason in {None, result.reason}:
            return f"{row.key.contact}@{node}"
    return None
