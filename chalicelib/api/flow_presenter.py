"""Flows, executions and messages as the API shows them."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.core.billing import aws_cost
from chalicelib.core.flows.progress import outcome_of
from chalicelib.core.reporting.describe_flow import FlowDescription
from chalicelib.core.reporting.significance import LaneComparison
from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.base import rfc3339
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, MessageOutcome, MessageResult
from chalicelib.model.flow import Flow
from chalicelib.model.ids import NodeId
from chalicelib.model.money import write_money

Shape = dict[str, object]
#: Counters of `core/flows/progress` that are fields of `stats` under the same name.
_PLAIN = (
    "total", "pending", "processing", "completed", "failed", "skipped", "sent", "delivered", "opened", "clicked",
    "replied", "bounced", "unknown", "retried", "timedOut",
)  # fmt: skip


def show_flow(described: FlowDescription) -> Shape:
    """`data` of `GET /v1/flows/{uid}`."""
    flow = described.flow
    return {
        **summarise_flow(flow),
        "metadata": {
            "pauseReason": flow.pause_reason,
            "pausedBy": show_paused_by(flow),
            "endReason": flow.end_reason,
            "errors": list(described.errors),
            "failureReasons": _under("reason.failed.", described.counters),
            "skipReasons": _under("reason.skipped.", described.counters),
            "duplicatesRemoved": flow.duplicates_removed,
            "inFlight": described.in_flight,
            "stuck": flow.stuck,
        },
        "stats": show_stats(described),
        "cost": show_cost(described),
    }


def show_cost(described: FlowDescription) -> Shape:
    """What its messages have cost, and what AWS takes beside that."""
    spent = write_money(described.counters.get("spent", 0))
    return {"messages": {"amount": spent, "currency": described.currency}, "aws": show_usage(described.used)}


def show_usage(usage: AwsUsage) -> Shape:
    """In dollars by list prices, and what it consists of."""
    return {
        "amount": f"{aws_cost.price(usage):f}",
        "currency": aws_cost.CURRENCY,
        "pricesOf": aws_cost.PRICES_OF,
        "region": aws_cost.REGION,
        "units": {
            "writeUnits": usage.write_units,
            "readUnits": usage.read_units,
            "queueRequests": usage.queue_requests,
            "invocations": usage.invocations,
            "gigabyteSeconds": round(usage.gigabyte_seconds, 3),
        },
    }


def show_paused_by(flow: Flow) -> Shape | None:
    """The channel whose circuit has paused the flow: cause, since when, and from when on a resume may try it."""
    return dict(flow.paused_by.model_dump(mode="json", by_alias=True)) if flow.paused_by else None


def summarise_flow(flow: Flow) -> Shape:
    """A flow in a list: what its control item says."""
    shown = flow.model_dump(
        mode="json",
        by_alias=True,
        include={
            "uid", "status", "description", "channel_uid", "campaign_uid", "campaign_version", "trigger", "segment_uid",
            "contact_count", "open_ended", "closed_at", "configuration", "retry_of", "created_at", "queued_at",
            "started_at", "paused_at", "completed_at", "updated_at",
        },
    )  # fmt: skip
    return dict(shown)


def show_stats(described: FlowDescription) -> Shape:
    """The counters by name, the rates made of them, and one object per node."""
    counters = described.counters
    sent, total = counters.get("sent", 0), counters.get("total", 0)
    ends_at = described.ends_at
    return {
        **{name: counters.get(name, 0) for name in _PLAIN},
        "deliveryRate": _rate(counters.get("delivered", 0), sent),
        "failureRate": _rate(counters.get("failed", 0), total),
        "messagesPerMinute": described.per_minute,
        "spent": write_money(counters.get("spent", 0)),
        "estimatedRemainingCost": write_money(_remaining_cost(counters)),
        "currency": described.currency,
        "estimatedCompletionAt": rfc3339(ends_at) if ends_at else None,
        "nodes": _nodes(counters, described.comparisons),
    }


def _remaining_cost(counters: Mapping[str, int]) -> int:
    """What the messages so far have cost each, for those who are still on their way."""
    sent = counters.get("sent", 0) + counters.get("unknown", 0)
    left = counters.get("pending", 0) + counters.get("processing", 0)
    return counters.get("spent", 0) * left // sent if sent else 0


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _under(prefix: str, counters: Mapping[str, int]) -> Mapping[str, int]:
    return {name.removeprefix(prefix): value for name, value in counters.items() if name.startswith(prefix) and value}


def _show_comparison(comparison: LaneComparison) -> Shape:
    """Rates with their 95 % intervals; lift is against the first variant."""
    variants = [
        {
            "label": each.label,
            "sent": each.sent,
            comparison.measure: each.hits,
            "rate": round(each.rate, 4),
            "interval": [round(each.low, 4), round(each.high, 4)],
            "lift": None if each.lift is None else round(each.lift, 4),
            "winProbability": round(each.wins, 3),
        }
        for each in comparison.variants
    ]
    return {"measure": comparison.measure, "verdict": comparison.verdict, "variants": variants}


def _nodes(
    counters: Mapping[str, int], comparisons: Mapping[NodeId, tuple[LaneComparison, ...]]
) -> Mapping[str, Shape]:
    nodes: dict[str, Shape] = {
        node: {"entered": 0, "here": 0, "left": {}, "comparisons": [_show_comparison(each) for each in found]}
        for node, found in comparisons.items()
    }
    for name, value in _under("node.", counters).items():
        node, _, word = name.partition(".")
        shown = nodes.setdefault(node, {"entered": 0, "here": 0, "left": {}})
        if word.startswith("left."):
            left = shown["left"]
            if isinstance(left, dict):
                left[word.removeprefix("left.")] = value
        else:
            shown[word] = value
    return nodes


def show_execution(row: Execution) -> Shape:
    """One contact in one flow, as lists show it."""
    return {
        "flowUid": row.key.flow,
        "contactUid": row.key.contact,
        "entry": row.key.entry,
        "eventId": row.cause.event if row.cause else None,
        "status": row.status.value,
        "nodeId": row.node,
        "reason": row.reason,
        "attempt": row.attempt,
        "wakeAt": rfc3339(row.due) if row.due else None,
        "campaignVersion": row.version,
        "createdAt": rfc3339(row.created),
        "updatedAt": rfc3339(row.updated),
    }


def inspect_execution(row: Execution) -> Shape:
    """Where now, why, what next and when, and where the walk has been."""
    history: list[Shape] = [
        {
            "nodeId": visit.node,
            "enteredAt": rfc3339(visit.entered),
            "leftAt": rfc3339(visit.left),
            "exit": visit.exit,
            "why": visit.why or None,
            "message": _message_at(row, visit.node),
        }
        for visit in row.path
    ]
    if row.node:
        here: Shape = {
            "nodeId": row.node, "enteredAt": rfc3339(row.entered), "leftAt": None, "exit": None, "why": None,
            "message": _message_at(row, row.node),
        }  # fmt: skip
        history.append(here)
    return {**show_execution(row), "why": _why(row), "next": _next(row), "history": history}


def _why(row: Execution) -> str:
    if not row.is_open:
        return f"It is {row.status.value}" + (f": {row.reason}" if row.reason else "")
    if row.claim:
        return "Its message is being handed over"
    if row.waiting:
        return "It waits for its time to come"
    return "It waits for its next attempt" if row.attempt else "It waits for its turn"


def _next(row: Execution) -> Shape | None:
    if not row.is_open:
        return None
    return {"nodeId": row.node, "does": "leaves" if row.waiting else "runs", "at": rfc3339(row.due or row.updated)}


def _message_at(row: Execution, node: NodeId) -> Shape | None:
    return show_message(row, node) if node in row.results else None


def show_message(row: Execution, node: NodeId) -> Shape:
    """One SEND of one execution."""
    result, receipt = row.results[node], row.receipts.get(node)
    return {
        "uid": str(row.message_uid(node)),
        "flowUid": row.key.flow,
        "contactUid": row.key.contact,
        "nodeId": node,
        "channelUid": result.channel or None,
        "status": message_status(result, receipt).value,
        "reason": result.reason,
        "attempts": result.attempts,
        "providerId": result.provider_id,
        "cost": write_money(result.cost),
        "at": rfc3339(result.at),
        "reportedAt": rfc3339(receipt.at) if receipt else None,
    }


class MessageStatus(StrEnum):
    """Our outcome, or what the provider reported after it."""

    SENT = "sent"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    FAILED = "failed"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    TIMED_OUT = "timed_out"
    BOUNCED = "bounced"


def message_status(result: MessageResult, receipt: DeliveryReceipt | None) -> MessageStatus:
    """The furthest that is known."""
    outcome = outcome_of(result, receipt)
    if receipt is None or receipt.engagement is Engagement.SENT or outcome is not MessageOutcome.SENT:
        return MessageStatus(outcome.value)
    return MessageStatus(receipt.engagement.value)
