"""What a row adds to its flow's statistics, and how a flow ends.

Live counters are sums of differences of `contribution`, a recount is the sum of `contribution`: they cannot disagree
but by what a crash kept from being added.
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

#: What a message with this report counts as; each is also a message that was sent.
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


def counters_of(row: Execution) -> Counter[str]:
    """The row's share of every counter; all its values are positive."""
    counts = Counter({"total": 1, "retried": row.attempt if row.is_open else 0, "spent": row.paid})
    if not row.is_open:
        counts[row.status.value] += 1
    if row.status in {ExecutionStatus.FAILED, ExecutionStatus.SKIPPED}:
        counts[f"reason.{row.status.value}.{row.reason}"] += 1
    for visit in row.path:
        counts[f"node.{visit.node}.entered"] += 1
        counts[f"node.{visit.node}.left.{visit.exit}"] += 1
    if row.node:
        counts[f"node.{row.node}.entered"] += 1
        counts[f"node.{row.node}.here"] += row.is_open
    for node, result in row.results.items():
        _count_message(counts, node, result, row.receipts.get(node))
    return +counts


def _count_message(counts: Counter[str], node: str, result: MessageResult, receipt: DeliveryReceipt | None) -> None:
    reached = outcome_of(result, receipt)
    words: tuple[str, ...] = (reached.value,)
    if reached is MessageOutcome.SENT and receipt:
        words += _REACHED[receipt.engagement]
    for word in words:
        counts[f"node.{node}.{word}"] += 1
        if word not in {MessageOutcome.SKIPPED, MessageOutcome.FAILED}:
            counts[word] += 1
    counts["retried"] += max(0, result.attempts - 1)
    if reached in {MessageOutcome.SENT, MessageOutcome.UNKNOWN}:
        counts["spent"] += result.cost


def outcome_of(result: MessageResult, receipt: DeliveryReceipt | None) -> MessageOutcome:
    """The outcome as known now: a receipt turns an unknown message into a sent one."""
    return MessageOutcome.SENT if result.outcome is MessageOutcome.UNKNOWN and receipt else result.outcome


def awaits_delivery(result: MessageResult, receipt: DeliveryReceipt | None) -> bool:
    """Whether the message is out and nobody knows yet what became of it: a receipt that it was sent says no more."""
    return outcome_of(result, receipt) is MessageOutcome.SENT and (
        receipt is None or receipt.engagement is Engagement.SENT
    )


def all_reported(counters: Mapping[str, int]) -> bool:
    """Whether of every message that was sent something better or worse is known. Not so where a channel is silent."""
    told = sum(counters.get(word, 0) for word in ("delivered", "bounced", "undelivered", "timedOut"))
    return counters.get("sent", 0) <= told


def difference(before: Execution, after: Execution) -> Counter[str]:
    """What changes when the row goes from one state to the other; values may be negative."""
    change = counters_of(after)
    change.subtract(counters_of(before))
    return Counter({name: value for name, value in change.items() if value})


def finished_count(counters: Mapping[str, int]) -> int:
    """How many executions are over."""
    return sum(counters.get(status, 0) for status in ("completed", "failed", "skipped"))


def looks_finished(flow: Flow, counters: Mapping[str, int]) -> bool:
    """Whether an exact count would probably find that the flow may end."""
    return flow.may_end and remaining_count(flow, counters) <= 0


def remaining_count(flow: Flow, counters: Mapping[str, int]) -> int:
    """How many executions are not over; below zero where counters were lost or contacts came twice."""
    expected = counters.get("total", 0) if flow.open_ended else flow.contact_count
    return expected - finished_count(counters)


def end_status(counters: Mapping[str, int]) -> FlowStatus:
    """How a flow ends whose executions are all over and whose receipts are all in; product.md, “Flow statuses”."""
    total, completed, failed = (counters.get(name, 0) for name in ("total", "completed", "failed"))
    sent, timed_out = counters.get("sent", 0), counters.get("timedOut", 0)
    if completed == 0 and failed:
        return FlowStatus.FAILED
    unknown = counters.get("unknown", 0)
    if sent and sent == timed_out and not unknown:
        return FlowStatus.TIMEOUT
    flawed = unknown or timed_out
    return FlowStatus.COMPLETED if completed == total and not flawed else FlowStatus.PARTIAL_COMPLETED
