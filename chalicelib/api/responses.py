"""What the answers look like, as models for OpenAPI.

Routes build their answers by hand; a test reads the real ones by these models, so neither can leave the other behind.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.api.billing_responses import CostResponse
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.campaign import Audience, Availability, CampaignState
from chalicelib.model.execution import ExecutionStatus
from chalicelib.model.flow import FlowConfiguration, FlowStatus, PausedBy, RetryOf
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy
from chalicelib.model.trigger import EntryPolicy, Trigger
from chalicelib.model.webhook import DeliveryAttempt, DeliveryStatus
from chalicelib.model.workspace import Scope

Json = Mapping[str, JsonValue]
Counts = Mapping[str, int]


class KeyResponse(StrictModel):
    """A key without its text."""

    uid: str
    name: str
    scope: Scope
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class KeyCreatedResponse(KeyResponse):
    """`key` is shown once; the repetition of the call by its Idempotency-Key shows null."""

    key: str | None


class WorkspaceResponse(StrictModel):
    """A workspace in a list."""

    uid: str
    name: str
    created_at: Moment


class WorkspaceCreatedResponse(WorkspaceResponse):
    """`key` is the workspace's first admin key, shown once."""

    key: str | None


class AuditResponse(StrictModel):
    """One call that changed something."""

    at: Moment
    uid: str
    key_uid: str
    key_name: str
    route: str
    request_id: str
    status: int
    changes: tuple[Json, ...]
    more: int


class SavedVersionResponse(StrictModel):
    """To the repetition of a call: who it was, as what is erased must not live on in a kept answer."""

    uid: str


class ScheduleResponse(StrictModel):
    """What the calendar does with a campaign."""

    next_starts: tuple[Moment, ...]
    timezone: str
    paused: bool
    skipped: tuple[Json, ...]


class CampaignSummaryResponse(StrictModel):
    """A campaign in a list; `rev` counts its changes."""

    uid: str
    rev: int
    created_at: Moment
    updated_at: Moment
    name: str
    description: str
    availability: Availability
    trigger: Trigger
    audience: Json | None
    configuration: FlowConfiguration
    entry: EntryPolicy
    start_grace: str
    latest_version: int
    draft_changed: bool
    state: CampaignState
    schedule: ScheduleResponse | None
    channel_uid: str | None = None
    template_uid: str | None = None
    template_name: str | None = None
    parameter_strategy: ParameterStrategy | None = None


class CampaignResponse(CampaignSummaryResponse):
    """The draft, with the fields of the short form where it was written so."""

    audience: Audience | None  # type: ignore[assignment]  # whole, where a list only counts it
    steps: tuple[JsonValue, ...]
    parameters: Parameters | None = None
    parameter_defaults: Defaults | None = None


class ProblemResponse(StrictModel):
    """What is wrong with a draft, and where."""

    step_id: str | None
    field: str
    message: str


class ValidationResponse(StrictModel):
    """Errors block a launch, warnings do not."""

    valid: bool
    errors: tuple[ProblemResponse, ...]
    warnings: tuple[ProblemResponse, ...]
    next_starts: tuple[Moment, ...]


class LaunchResponse(StrictModel):
    """`status` is the flow's, or `scheduled`."""

    flow_uid: str | None
    status: str
    state: CampaignState
    next_starts: tuple[Moment, ...]


class TriggerResponse(StrictModel):
    """The flow that was started."""

    flow_uid: str
    status: FlowStatus


class ControlResponse(StrictModel):
    """Where the campaign stands now, and how many sends are under way."""

    status: CampaignState
    flow_uid: str | None
    in_flight: int


class CampaignStatusResponse(StrictModel):
    """What an operator watches."""

    state: CampaignState
    schedule: ScheduleResponse | None
    flow_uid: str | None
    flow_status: FlowStatus | None
    executions: Counts
    messages: Counts
    nodes: Mapping[str, Json]
    spent: str
    estimated_remaining_cost: str
    currency: str | None
    pause_reason: str | None
    paused_by: PausedBy | None
    paused_at: Moment | None
    end_reason: str | None
    in_flight: int
    cost: CostResponse | None


class VersionSummaryResponse(StrictModel):
    """A version in a list, without its steps."""

    version: int
    campaign_uid: str
    name: str
    configuration: FlowConfiguration
    trigger: Trigger
    entry: EntryPolicy
    channel_uid: str | None
    published_at: Moment


class GraphResponse(StrictModel):
    """The compiled draft."""

    start: str | None
    nodes: tuple[Json, ...]
    mermaid: str


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


class ExecutionResponse(StrictModel):
    """One contact in one flow."""

    flow_uid: str
    contact_uid: str
    entry: int | None
    event_id: str | None
    status: ExecutionStatus
    node_id: str | None
    reason: str | None
    attempt: int
    wake_at: Moment | None
    campaign_version: int
    created_at: Moment
    updated_at: Moment


class MessageResponse(StrictModel):
    """One SEND of one execution."""

    uid: str
    flow_uid: str
    contact_uid: str
    node_id: str
    channel_uid: str | None
    status: str
    reason: str | None
    attempts: int
    provider_id: str | None
    cost: str
    at: Moment
    reported_at: Moment | None


class VisitResponse(StrictModel):
    """One station of a walk."""

    node_id: str
    entered_at: Moment
    left_at: Moment | None
    exit: str | None
    why: str | Json | None
    message: MessageResponse | None


class ExecutionDetailResponse(ExecutionResponse):
    """Where now, why, what next and when, and where the walk has been."""

    why: str
    next: Json | None
    history: tuple[VisitResponse, ...]


class HealthResponse(StrictModel):
    """`ok`."""

    status: str


class WebhookResponse(StrictModel):
    """A webhook; `disabledReason` says why it was switched off, where nobody asked for it."""

    uid: str
    url: str
    events: tuple[str, ...]
    description: str
    active: bool
    disabled_reason: str | None
    previous_until: Moment | None
    created_at: Moment
    updated_at: Moment


class WebhookCreatedResponse(WebhookResponse):
    """`secret` is shown once; the repetition of the call by its Idempotency-Key shows null."""

    secret: str | None


class DeliveryResponse(StrictModel):
    """One event on its way to one webhook; `uid` is the `webhook-id`, `body` the text that is signed."""

    uid: str
    created_at: Moment
    updated_at: Moment
    webhook_uid: str
    event: str
    body: str
    status: DeliveryStatus
    attempts: tuple[DeliveryAttempt, ...]
    next_attempt_at: Moment | None
