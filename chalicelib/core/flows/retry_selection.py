"""Select the executions that a retry runs again, and their nodes. Pure: it computes only."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from chalicelib.core.flows.progress import outcome_of
from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome
from chalicelib.model.flow import RetryOf
from chalicelib.model.ids import NodeId


def retry_start(execution: Execution, retry: RetryOf, sent: AbstractSet[NodeId] = frozenset()) -> str | None:
    """Return the entry `execution@node` of a retry, or None if the execution is not retried.

    A failed execution continues at the node that failed; the others run one node again. Of several matching messages it
    is the first that no earlier retry has sent (`sent`); another retry may send the rest.
    """
    node = next((node for node in matches_of(execution, retry) if node not in sent), None)
    return f"{execution.key.execution_id}@{node}" if node else None


def matches_of(execution: Execution, retry: RetryOf) -> tuple[NodeId, ...]:
    """Return the nodes that the retry selects, in the order of the execution's path."""
    nodes = _failed(execution, retry) if retry.of == "failed" else _messages(execution, retry)
    return tuple(node for node in nodes if retry.node_id in {None, node})


def _failed(execution: Execution, retry: RetryOf) -> tuple[NodeId, ...]:
    matches = execution.status is ExecutionStatus.FAILED and retry.reason in {None, execution.reason}
    return (execution.node,) if matches and execution.node else ()


def _messages(execution: Execution, retry: RetryOf) -> tuple[NodeId, ...]:
    wanted = MessageOutcome(retry.of)
    passed = [visit.node for visit in execution.path if visit.node in execution.results]
    # The current node is not in the path. A store may return results in any order.
    return tuple(
        node
        for node in dict.fromkeys([*passed, *execution.results])
        if outcome_of(execution.results[node], execution.receipts.get(node)) is wanted
        and retry.reason in {None, execution.results[node].reason}
    )


def covered_by(execution: Execution, retry: RetryOf) -> frozenset[NodeId]:
    """Return the nodes with a message that this execution of another retry has sent, may have sent or will send.

    A retry of failed executions also covers the nodes that it has left, because it runs the rest of the path itself.
    """
    out = {MessageOutcome.SENT, MessageOutcome.UNKNOWN}
    nodes = {node for node, result in execution.results.items() if result.outcome in out}
    left = {visit.node for visit in execution.path} if retry.of == "failed" else set()
    return frozenset(nodes | left | ({execution.node} if execution.is_open and execution.node else set()))


def expect_entries(counters: Mapping[str, int], retry: RetryOf) -> int:
    """Estimate the number of entries by the statistics. May be too high, because not every reason is counted."""
    if retry.of == "failed":
        return counters.get(f"reason.failed.{retry.reason}" if retry.reason else "failed", 0)
    if retry.node_id:
        return counters.get(f"node.{retry.node_id}.{retry.of}", 0)
    return sum(count for name, count in counters.items() if name.startswith("node.") and name.endswith(f".{retry.of}"))
