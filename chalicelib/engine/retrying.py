"""Which rows of a flow a retry of it runs again, and from where."""

from collections.abc import Mapping

from chalicelib.engine.progress import outcome_of
from chalicelib.model.execution import Execution, ExecutionStatus, Outcome
from chalicelib.model.flow import RetryOf


def entry_of(row: Execution, retry: RetryOf) -> str | None:
    """`walk@node`: a failed walk goes on from where it failed; the others run the one node again. None for no retry."""
    if retry.of == "failed":
        matches = row.status is ExecutionStatus.FAILED and retry.reason in {None, row.reason}
        return f"{row.key.walk}@{row.node}" if matches and row.node else None
    wanted = Outcome(retry.of)
    for node, result in row.results.items():
        if outcome_of(result, row.receipts.get(node)) is wanted and retry.reason in {None, result.reason}:
            return f"{row.key.walk}@{node}"
    return None


def expect_entries(counters: Mapping[str, int], retry: RetryOf) -> int:
    """About how many rows that is by the flow's statistics; rather too many, as not every reason is counted."""
    if retry.of == "failed":
        return counters.get(f"reason.failed.{retry.reason}" if retry.reason else "failed", 0)
    return sum(count for name, count in counters.items() if name.startswith("node.") and name.endswith(f".{retry.of}"))
