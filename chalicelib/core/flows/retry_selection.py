"""Which rows of a flow a retry of it runs again, and from where."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from chalicelib.core.flows.progress import outcome_of
from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome
from chalicelib.model.flow import RetryOf
from chalicelib.model.ids import NodeId


def retry_start(row: Execution, retry: RetryOf, done: AbstractSet[NodeId] = frozenset()) -> str | None:
    """`walk@node`: a failed walk goes on from where it failed; the others run one node again. None for no retry.

    Of several messages that match it is the first that no retry before has sent (`done`): the rest is for another one.
    """
    node = next((node for node in matches_of(row, retry) if node not in done), None)
    return f"{row.key.execution_id}@{node}" if node else None


def matches_of(row: Execution, retry: RetryOf) -> tuple[NodeId, ...]:
    """The nodes of the row that the retry is about, in the order in which the walk came to them."""
    nodes = _failed(row, retry) if retry.of == "failed" else _messages(row, retry)
    return tuple(node for node in nodes if retry.node_id in {None, node})


def _failed(row: Execution, retry: RetryOf) -> tuple[NodeId, ...]:
    matches = row.status is ExecutionStatus.FAILED and retry.reason in {None, row.reason}
    return (row.node,) if matches and row.node else ()


def _messages(row: Execution, retry: RetryOf) -> tuple[NodeId, ...]:
    wanted = MessageOutcome(retry.of)
    passed = [visit.node for visit in row.path if visit.node in row.results]
    # Where the walk stands it has not left; a store need not keep results in order.
    return tuple(
        node
        for node in dict.fromkeys([*passed, *row.results])
        if outcome_of(row.results[node], row.receipts.get(node)) is wanted
        and retry.reason in {None, row.results[node].reason}
    )


def covered_by(row: Execution, retry: RetryOf) -> frozenset[NodeId]:
    """The nodes that this row of another retry has sent, may have sent, or is about to send.

    Of failed walks also those that it has left: the rest of the walk is its own, whatever became of the message.
    """
    out = {MessageOutcome.SENT, MessageOutcome.UNKNOWN}
    nodes = {node for node, result in row.results.items() if result.outcome in out}
    left = {visit.node for visit in row.path} if retry.of == "failed" else set()
    return frozenset(nodes | left | ({row.node} if row.is_open and row.node else set()))


def expect_entries(counters: Mapping[str, int], retry: RetryOf) -> int:
    """About how many rows that is by the flow's statistics; rather too many, as not every reason is counted."""
    if retry.of == "failed":
        return counters.get(f"reason.failed.{retry.reason}" if retry.reason else "failed", 0)
    if retry.node_id:
        return counters.get(f"node.{retry.node_id}.{retry.of}", 0)
    return sum(count for name, count in counters.items() if name.startswith("node.") and name.endswith(f".{retry.of}"))
