"""Response models of flows."""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.api.responses.balance import CostResponse
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.flow import FlowConfiguration, FlowStatus, RetryOf
from chalicelib.model.pause import PausedBy

Json = Mapping[str, JsonValue]
Counts = Mapping[str, int]


class FlowSummaryResponse(StrictModel):
    """A flow in a list."""

    uid: str
    status: FlowStatus
    description: str
    channel_uid: str
    campaign_uid: str
    campaign_version: int | None
    trigger: str
    segment_uid: str | None
    contact_count: int
    open_ended: bool
    closed_at: Moment | None
    configuration: FlowConfiguration
    retry_of: RetryOf | None
    created_at: Moment
    queued_at: Moment | None
    started_at: Moment | None
    paused_at: Moment | None
    completed_at: Moment | None
    updated_at: Moment


class FlowMetadata(StrictModel):
    """What there is to know beside the counters; `errors` are the first 50."""

    pause_reason: str | None
    paused_by: PausedBy | None
    end_reason: str | None
    errors: tuple[Json, ...]
    failure_reasons: Counts
    skip_reasons: Counts
    duplicates_removed: int
    in_flight: int
    stuck: int


class FlowStats(StrictModel):
    """`total = pending + processing + completed + failed + skipped`; rates are of 1."""

    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    skipped: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    unknown: int
    retried: int
    timed_out: int
    delivery_rate: float
    failure_rate: float
    messages_per_minute: float
    spent: str
    estimated_remaining_cost: str
    currency: str | None
    estimated_completion_at: Moment | None
    nodes: Mapping[str, Json]


class FlowResponse(FlowSummaryResponse):
    """A flow with its statistics."""

    metadata: FlowMetadata
    stats: FlowStats
    cost: CostResponse


class ContactsAddedResponse(StrictModel):
    """What came to a flow's audience."""

    uid: str
    contact_count: int
    added: int
    duplicates_removed: int
