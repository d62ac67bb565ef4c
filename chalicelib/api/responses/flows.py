"""Response models of flows."""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.api.responses.balance import CostResponse, cost_response
from chalicelib.api.responses.build import build_response
from chalicelib.core.reporting.describe_flow import FlowDescription
from chalicelib.core.reporting.significance import LaneComparison
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.flow import Flow, FlowStatus, RetryOf
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.ids import NodeId
from chalicelib.model.money import write_money
from chalicelib.model.pause import PausedBy

JsonObject = Mapping[str, object]
Json = Mapping[str, JsonValue]
Counts = Mapping[str, int]
#: Counters of `core/flows/progress` that are fields of `stats` under the same name.
COUNTERS = (
    "total", "pending", "processing", "completed", "failed", "skipped", "sent", "delivered", "opened", "clicked",
    "replied", "bounced", "unknown", "retried", "timedOut",
)  # fmt: skip


class FlowSummaryResponse(StrictModel):
    """A flow in a list."""

    uid: str
    """Identifier of the flow."""
    status: FlowStatus
    """Current status. A flow in `error` can be resumed; `completed`, `cancelled` and `failed` are final."""
    description: str
    """Free text for operators; empty if none was set."""
    channel_uid: str
    """Channel of the SEND steps that name no channel of their own."""
    campaign_uid: str
    """Campaign whose steps the flow runs."""
    campaign_version: int | None
    """Published version that the flow runs; null until the flow starts."""
    trigger: str
    """How the flow was created: `api`, `launch`, `trigger`, `scheduled`, `event` or `retry`."""
    segment_uid: str | None
    """Segment that is the audience; null if the contacts were listed."""
    contact_count: int
    """Number of contacts in the audience, without duplicates."""
    open_ended: bool
    """Whether events enter contacts one by one until the flow is closed."""
    closed_at: Moment | None
    """Time after which events enter no more contacts; null while the flow is open or has an audience."""
    configuration: FlowConfiguration
    """Pacing, retries and timeouts of the flow."""
    retry_of: RetryOf | None
    """Flow and executions that this flow retries; null if it is not a retry."""
    created_at: Moment
    """Time at which the flow was created."""
    queued_at: Moment | None
    """Time at which the flow was queued; null while it is a draft."""
    started_at: Moment | None
    """Time at which the flow started to run; null before."""
    paused_at: Moment | None
    """Time of the last pause; null if the flow is not paused."""
    completed_at: Moment | None
    """Time at which the flow ended; null while it is not finished."""
    updated_at: Moment
    """Time of the last change of the flow itself. Its statistics change without it."""


class FlowMetadata(StrictModel):
    """Details of a flow beside its counters."""

    pause_reason: str | None
    """Cause and detail of the current pause or error, for example `balance: 131042`; null if there is none."""
    paused_by: PausedBy | None
    """Open circuit that paused the flow; null if another cause did or the flow is not paused."""
    end_reason: str | None
    """Why the flow ended before all contacts had passed; null if it did not."""
    errors: tuple[JsonObject, ...]
    """The first 50 failed executions, each with its contact, node and reason."""
    failure_reasons: Counts
    """Number of failed executions by failure code."""
    skip_reasons: Counts
    """Number of skipped executions by skip code."""
    duplicates_removed: int
    """Number of contacts that were listed more than once and are counted once."""
    in_flight: int
    """Number of messages that are with a provider at this moment."""
    stuck: int
    """Number of open executions that were overdue at the last recount and that no worker held."""


class FlowStats(StrictModel):
    """Live statistics of a flow. `total = pending + processing + completed + failed + skipped`."""

    total: int
    """Number of executions: one for each contact, or for each entry of a contact into an event campaign."""
    pending: int
    """Number of executions that have not started."""
    processing: int
    """Number of executions that have started and are still open."""
    completed: int
    """Number of executions that reached an END step."""
    failed: int
    """Number of executions that ended with a failure."""
    skipped: int
    """Number of executions that ended without all their messages, for example because of an opt-out."""
    sent: int
    """Number of messages that a provider accepted."""
    delivered: int
    """Number of messages that were reported as delivered, opened, clicked or replied to."""
    opened: int
    """Number of messages that were reported as opened, clicked or replied to."""
    clicked: int
    """Number of messages with at least one click."""
    replied: int
    """Number of messages that the contact replied to."""
    bounced: int
    """Number of messages that the provider accepted and later reported as undeliverable."""
    unknown: int
    """Number of messages that may have been sent: the provider's answer was lost."""
    retried: int
    """Number of additional attempts to send, over all messages."""
    timed_out: int
    """Number of messages without a delivery report within `timeoutMs`."""
    delivery_rate: float
    """`delivered` divided by `sent`, from 0 to 1, rounded to 4 decimals; 0 if nothing was sent."""
    failure_rate: float
    """`failed` divided by `total`, from 0 to 1, rounded to 4 decimals; 0 for an empty flow."""
    messages_per_minute: float
    """Average number of messages per minute since the start."""
    spent: str
    """Cost of all messages so far in `currency`, as a decimal string."""
    estimated_remaining_cost: str
    """Average cost of a message times the open executions, in `currency`, as a decimal string."""
    currency: str | None
    """Currency of the workspace: an ISO 4217 code such as `EUR`."""
    estimated_completion_at: Moment | None
    """Estimated end by pacing and rate limits; null if the flow is not running or nothing limits it."""
    nodes: Mapping[str, Json]
    """Counters by step id: `entered`, `here`, `left` by exit, message outcomes, and `comparisons` of an A/B test."""


class FlowResponse(FlowSummaryResponse):
    """A flow with its statistics."""

    metadata: FlowMetadata
    """Pause, errors, and counts by reason."""
    stats: FlowStats
    """Live counters and rates."""
    cost: CostResponse
    """Cost of the messages and of the AWS services so far."""


class ContactsAddedResponse(StrictModel):
    """Contacts that were added to the audience of a flow."""

    uid: str
    """Identifier of the flow."""
    contact_count: int
    """Number of contacts in the audience after the call."""
    added: int
    """Number of contacts that this call added."""
    duplicates_removed: int
    """Number of contacts of this call that the audience had already, or that the call listed twice."""


def flow_summary(flow: Flow) -> FlowSummaryResponse:
    """Return a flow for a list. Its fields were validated when the flow was stored."""
    return build_response(FlowSummaryResponse, flow)


def flow_response(described: FlowDescription) -> FlowResponse:
    """Return a flow with its statistics."""
    flow = described.flow
    return build_response(
        FlowResponse,
        flow,
        metadata=FlowMetadata(
            pause_reason=flow.pause_reason,
            paused_by=flow.paused_by,
            end_reason=flow.end_reason,
            errors=described.errors,
            failure_reasons=counts_under("reason.failed.", described.counters),
            skip_reasons=counts_under("reason.skipped.", described.counters),
            duplicates_removed=flow.duplicates_removed,
            in_flight=described.in_flight,
            stuck=flow.stuck,
        ),
        stats=flow_stats(described),
        cost=cost_response(described),
    )


def flow_stats(described: FlowDescription) -> FlowStats:
    """Return the counters by name, the rates calculated from them, and the counters of each node."""
    counters = described.counters
    sent, total = counters.get("sent", 0), counters.get("total", 0)
    # The counters have the JSON names of the fields, so the model is built by alias.
    return FlowStats.model_validate(
        {
            **{name: counters.get(name, 0) for name in COUNTERS},
            "deliveryRate": _rate(counters.get("delivered", 0), sent),
            "failureRate": _rate(counters.get("failed", 0), total),
            "messagesPerMinute": described.per_minute,
            "spent": write_money(counters.get("spent", 0)),
            "estimatedRemainingCost": write_money(_remaining_cost(counters)),
            "currency": described.currency,
            "estimatedCompletionAt": described.ends_at,
            "nodes": _nodes(counters, described.comparisons),
        }
    )


def counts_under(prefix: str, counters: Counts) -> Counts:
    """Return the counters above 0 whose name starts with `prefix`, by the rest of their name."""
    return {name.removeprefix(prefix): value for name, value in counters.items() if name.startswith(prefix) and value}


def _remaining_cost(counters: Counts) -> int:
    """Return the average cost of a message so far times the number of open executions."""
    sent = counters.get("sent", 0) + counters.get("unknown", 0)
    left = counters.get("pending", 0) + counters.get("processing", 0)
    return counters.get("spent", 0) * left // sent if sent else 0


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _comparison(comparison: LaneComparison) -> JsonObject:
    """Return the rates with their 95 % intervals. The lift is relative to the first variant."""
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


def _nodes(counters: Counts, comparisons: Mapping[NodeId, tuple[LaneComparison, ...]]) -> Mapping[str, JsonObject]:
    nodes: dict[str, dict[str, object]] = {
        node: {"entered": 0, "here": 0, "left": {}, "comparisons": [_comparison(each) for each in found]}
        for node, found in comparisons.items()
    }
    for name, value in counts_under("node.", counters).items():
        node, _, word = name.partition(".")
        counts = nodes.setdefault(node, {"entered": 0, "here": 0, "left": {}})
        if word.startswith("left."):
            left = counts["left"]
            if isinstance(left, dict):
                left[word.removeprefix("left.")] = value
        else:
            counts[word] = value
    return nodes
