"""Response models of campaigns, their versions and their launches."""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.api.responses.balance import CostResponse
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.campaign import Audience, Availability, CampaignState
from chalicelib.model.flow import FlowConfiguration, FlowStatus
from chalicelib.model.pause import PausedBy
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy
from chalicelib.model.trigger import EntryPolicy, Trigger

Json = Mapping[str, JsonValue]
Counts = Mapping[str, int]


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
