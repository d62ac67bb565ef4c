"""Compute the statistics of executions, and the end state of a flow. Pure: it computes only.

Live statistics add up differences of `counters_of`, and a recount adds up `counters_of` itself. They differ only by
what a crash kept from being added.
"""

from collections import Counter
from collections.abc import Mapping

from chalicelib.model.execution import (
    DeliveryReceipt,
    Engagement,
    Execution,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
)
from chalicelib.model.flow import Flow, FlowStatus

#: Counters of a message with this receipt, besides `sent`.
_REACHED: Mapping[Engagement, tuple[str, ...]] = {
    Engagement.SENT: (),
    Engagement.TIMED_OUT: ("timedOut",),
    Engagement.DELIVERED: ("delivered",),
    Engagement.OPENED: ("delivered", "opened"),
    Engagement.CLICKED: ("delivered", "opened", "clicked"),
    Engagement.REPLIED: ("delivered", "opened", "replied"),
    Engagement.BOUNCED: ("bounced",),
    Engagement.FAILED: ("undelivered",),
}


def counters_of(execution: Execution) -> Counter[str]:
    """Return what an execution adds to each counter. All values are positive."""
    counts = Counter({"total": 1, "retried": execution.attempt if execution.is_open else 0, "spent": execution.paid})
    if not execution.is_open:
        counts[execution.status.value] += 1
    if execution.status in {ExecutionStatus.FAILED, ExecutionStatus.SKIPPED}:
        counts[f"reason.{execution.status.value}.{execution.reason}"] += 1
    for visit in execution.path:
        counts[f"node.{visit.node}.entered"] += 1
        counts[f"node.{visit.node}.left.{visit.exit}"] += 1
    if execution.node:
        counts[f"node.{execution.node}.entered"] += 1
        counts[f"node.{execution.node}.here"] += execution.is_open
    for node, result in execution.results.items():
        _count_message(counts, node, result, execution.receipts.get(node))
    return +counts


def _count_message(counts: Counter[str], node: str, result: MessageResult, receipt: DeliveryReceipt | None) -> None:
    reached = outcome_of(result, receipt)
    names: tuple[str, ...] = (reached.value,)
    if reached is MessageOutcome.SENT and receipt:
        names += _REACHED[receipt.engagement]
    for name in names:
        counts[f"node.{node}.{name}"] += 1
        if name not in {MessageOutcome.SKIPPED, MessageOutcome.FAILED}:
            counts[name] += 1
    counts["retried"] += max(0, result.attempts - 1)
    if reached in {MessageOutcome.SENT, MessageOutcome.UNKNOWN}:
        counts["spent"] += result.cost


def outcome_of(result: MessageResult, receipt: DeliveryReceipt | None) -> MessageOutcome:
    """Return the current outcome. A receipt turns an unknown message into a sent one."""
    return MessageOutcome.SENT if result.outcome is MessageOutcome.UNKNOWN and receipt else result.outcome


def awaits_delivery(result: MessageResult, receipt: DeliveryReceipt | None) -> bool:
    """Report whether a sent message still waits for its delivery report. A receipt `sent` is not one."""
    return outcome_of(result, receipt) is MessageOutcome.SENT and (
        receipt is None or receipt.engagement is Engagement.SENT
    )


def all_reported(counters: Mapping[str, int]) -> bool:
    """Report whether every sent message has a delivery report. False for channels without reports."""
    reported = sum(counters.get(name, 0) for name in ("delivered", "bounced", "undelivered", "timedOut"))
    return counters.get("sent", 0) <= reported


def difference(before: Execution, after: Execution) -> Counter[str]:
    """Return the change of the counters from one state to the other. Values may be negative."""
    change = counters_of(after)
    change.subtract(counters_of(before))
    return Counter({name: value for name, value in change.items() if value})


def finished_count(counters: Mapping[str, int]) -> int:
    """Return the number of ended executions."""
    return sum(counters.get(status, 0) for status in ("completed", "failed", "skipped"))


def looks_finished(flow: Flow, counters: Mapping[str, int]) -> bool:
    """Report whether a recount would probably end the flow."""
    return flow.may_end and remaining_count(flow, counters) <= 0


def remaining_count(flow: Flow, counters: Mapping[str, int]) -> int:
    """Return the number of executions that have not ended. Negative if counters were lost or contacts came twice."""
    expected = counters.get("total", 0) if flow.open_ended else flow.contact_count
    return expected - finished_count(counters)


def end_status(counters: Mapping[str, int]) -> FlowStatus:
    """Return the end status of a flow without open executions and without awaited receipts."""
    total, completed, failed = (counters.get(name, 0) for name in ("total", "completed", "failed"))
    sent, timed_out = counters.get("sent", 0), counters.get("timedOut", 0)
    if completed == 0 and failed:
        return FlowStatus.FAILED
    unknown = counters.get("unknown", 0)
    if sent and sent == timed_out and not unknown:
        return FlowStatus.TIMEOUT
    flawed = unknown or timed_out
    return FlowStatus.COMPLETED if completed == total and not flawed else FlowStatus.PARTIAL_COMPLETED
