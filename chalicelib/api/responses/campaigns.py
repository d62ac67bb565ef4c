"""Response models of campaigns, their versions and their launches."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from chalicelib.api.http.call import PartialResponse
from chalicelib.api.responses.balance import CostResponse, cost_response
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.flows import flow_stats
from chalicelib.core.launching.launch_campaign import LaunchResult
from chalicelib.core.launching.schedule_campaign import upcoming_starts
from chalicelib.core.reporting.describe_flow import FlowDescription
from chalicelib.errors import Problem
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.campaign import Audience, Availability, Campaign, CampaignState, CampaignVersion
from chalicelib.model.durations import Duration
from chalicelib.model.flow import FlowStatus
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.pause import PausedBy
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy
from chalicelib.model.trigger import EntryPolicy, SkippedStart, Trigger

Json = Mapping[str, JsonValue]
Counts = Mapping[str, int]
#: A draft may have as many problems as its body has values, and Lambda answers 6 MB at most.
MAX_PROBLEMS = 1_000
#: Counters of a flow that count executions, and those that count messages.
_EXECUTIONS = ("total", "pending", "processing", "completed", "failed", "skipped")
_MESSAGES = ("sent", "delivered", "opened", "clicked", "replied", "bounced", "unknown", "timedOut", "retried")
#: Status of a campaign without a flow.
_NO_FLOW: Mapping[str, object] = {
    "flow_uid": None,
    "flow_status": None,
    "executions": dict.fromkeys(_EXECUTIONS, 0),
    "messages": dict.fromkeys(_MESSAGES, 0),
    "nodes": {},
    "spent": "0.00",
    "estimated_remaining_cost": "0.00",
    "currency": None,
    "pause_reason": None,
    "paused_by": None,
    "paused_at": None,
    "end_reason": None,
    "in_flight": 0,
    "cost": None,
}
_PLACE = re.compile(r"(?:^|\.)(steps|lanes)\[(\d{1,6})\]")


class ScheduleResponse(StrictModel):
    """The schedule of a launched campaign."""

    next_starts: tuple[Moment, ...]
    """The next starts, at most 5, earliest first."""
    timezone: str
    """IANA time zone of the schedule, for example `Europe/Berlin`."""
    paused: bool
    """Whether scheduled starts are skipped until the campaign is resumed."""
    skipped: tuple[SkippedStart, ...]
    """Starts that were skipped, newest first."""


class AudienceSummary(StrictModel):
    """The size of an audience, without its contacts."""

    segment_uid: str | None
    """Segment that is the audience; null if the contacts are listed."""
    contact_count: int
    """Number of listed contacts; 0 for a segment."""


class CampaignFieldsResponse(PartialResponse):
    """Fields that a campaign has in lists and by itself.

    The fields of the short form are left out of the answer unless the draft was written in the short form.
    """

    uid: str
    """Identifier of the campaign."""
    rev: int
    """Number of changes. Send it with PATCH to refuse the change if somebody else was faster."""
    created_at: Moment
    """Time at which the campaign was created."""
    updated_at: Moment
    """Time of the last change of the campaign."""
    name: str
    """Name of the campaign, 1 to 200 characters."""
    description: str
    """Free text for operators, at most 2,000 characters."""
    availability: Availability
    """Whether the campaign may start flows."""
    trigger: Trigger
    """What starts a flow: an operator, a call, a schedule, or an event."""
    configuration: FlowConfiguration
    """Pacing, retries and timeouts of the flows that the campaign starts."""
    entry: EntryPolicy
    """Whether and when a contact may enter an event campaign again."""
    start_grace: Duration
    """How late a scheduled start may be before it is skipped, as an ISO 8601 duration."""
    latest_version: int
    """Number of the newest published version; 0 if none was published."""
    draft_changed: bool
    """Whether the draft differs from the newest version."""
    state: CampaignState
    """State that results from the campaign's flows and its schedule."""
    schedule: ScheduleResponse | None
    """Schedule of a launched campaign; null without one."""
    channel_uid: str | None = None
    """Short form: channel that sends the message."""
    template_uid: str | None = None
    """Short form: template of the message; null if `templateName` is set."""
    template_name: str | None = None
    """Short form: name of the template; null if `templateUid` is set."""
    parameter_strategy: ParameterStrategy | None = None
    """Short form: where the template's parameters come from."""


class CampaignSummaryResponse(CampaignFieldsResponse):
    """A campaign in a list. Long fields are left out, so that 100 campaigns fit into Lambda's limit of 6 MB."""

    audience: AudienceSummary | None
    """Size of the audience; null if the campaign has none."""


class CampaignResponse(CampaignFieldsResponse):
    """A campaign with its draft."""

    audience: Audience | None
    """Contacts or segment that a launch reaches; null if the campaign has none."""
    steps: tuple[JsonValue, ...]
    """Steps of the draft as they were written, even if they have problems."""
    parameters: Parameters | None = None
    """Short form: values of the template's parameters."""
    parameter_defaults: Defaults | None = None
    """Short form: values of parameters that the contact does not provide."""


class ProblemResponse(StrictModel):
    """A problem of a draft."""

    step_id: str | None
    """Step that has the problem; null if the problem is outside of the steps."""
    field: str
    """Path to the field, for example `steps[2].for`."""
    message: str
    """Description of the problem, in English."""


class ValidationResponse(StrictModel):
    """Result of a validation. Errors block a launch, warnings do not."""

    valid: bool
    """Whether the draft has no errors."""
    errors: tuple[ProblemResponse, ...]
    """Problems that block a launch, at most 1,000. Problems of the whole draft come first."""
    warnings: tuple[ProblemResponse, ...]
    """Problems that do not block a launch."""
    next_starts: tuple[Moment, ...]
    """The next starts if the draft were launched now; empty without a schedule or with errors."""


class LaunchResponse(StrictModel):
    """Result of a launch."""

    flow_uid: str | None
    """Flow that was started; null if the schedule starts one later."""
    status: str
    """Status of the flow, or `scheduled`."""
    state: CampaignState
    """State of the campaign after the launch."""
    next_starts: tuple[Moment, ...]
    """The next starts of a scheduled campaign, at most 5; else empty."""


class TriggerResponse(StrictModel):
    """The flow that a trigger started."""

    flow_uid: str
    """Flow that was started, or that an earlier call with the same idempotency key started."""
    status: FlowStatus
    """Status of the flow."""


class ControlResponse(StrictModel):
    """Result of a pause, a resume or a cancellation."""

    status: CampaignState
    """State of the campaign after the call."""
    flow_uid: str | None
    """Newest flow that the call changed; null if it changed only the schedule."""
    in_flight: int
    """Number of messages that are with a provider at this moment."""


class CampaignStatusResponse(StrictModel):
    """Live status of a campaign. Before the first flow, counters are 0 and the fields of a flow are null."""

    state: CampaignState
    """State that results from the campaign's flows and its schedule."""
    schedule: ScheduleResponse | None
    """Schedule of a launched campaign; null without one."""
    flow_uid: str | None
    """Flow that decides the state; null before the first flow."""
    flow_status: FlowStatus | None
    """Status of that flow."""
    executions: Counts
    """Number of executions by state, and `total`."""
    messages: Counts
    """Number of messages by status."""
    nodes: Mapping[str, Json]
    """Counters by step id: `entered`, `here`, `left` by exit, message outcomes, and `comparisons` of an A/B test."""
    spent: str
    """Cost of all messages of the flow in `currency`, as a decimal string."""
    estimated_remaining_cost: str
    """Average cost of a message times the open executions, in `currency`, as a decimal string."""
    currency: str | None
    """Currency of the workspace: an ISO 4217 code such as `EUR`."""
    pause_reason: str | None
    """Cause and detail of the flow's pause or error, for example `balance: 131042`."""
    paused_by: PausedBy | None
    """Open circuit that paused the flow; null if another cause did."""
    paused_at: Moment | None
    """Time of the flow's last pause; null if the flow is not paused."""
    end_reason: str | None
    """Why the flow ended before all contacts had passed; null if it did not."""
    in_flight: int
    """Number of messages that are with a provider at this moment."""
    cost: CostResponse | None
    """Cost of the messages and of the AWS services; null before the first flow."""


class VersionSummaryResponse(StrictModel):
    """A published version in a list, without its steps."""

    version: int
    """Number of the version, from 1."""
    campaign_uid: str
    """Campaign that was published."""
    name: str
    """Name of the campaign when it was published."""
    configuration: FlowConfiguration
    """Pacing, retries and timeouts of the flows of this version."""
    trigger: Trigger
    """What starts a flow: an operator, a call, a schedule, or an event."""
    entry: EntryPolicy
    """Whether and when a contact may enter an event campaign again."""
    channel_uid: str | None
    """Channel of the SEND steps that name no channel of their own; null if there is none."""
    published_at: Moment
    """Time of the publication."""


class GraphNodeResponse(StrictModel):
    """A node of a compiled draft."""

    id: str
    """Id of the step."""
    type: str
    """Node type, for example `SEND` or `WAIT`."""
    name: str | None
    """Name of the step, if it has one."""
    exits: Mapping[str, str | None]
    """Next node by the name of the exit; null if the path ends there."""


class GraphResponse(StrictModel):
    """The compiled draft of a campaign."""

    start: str | None
    """First node; null if the draft has no steps."""
    nodes: tuple[GraphNodeResponse, ...]
    """All nodes, in the order of the draft."""
    mermaid: str
    """The graph as a Mermaid flowchart."""


def campaign_response(campaign: Campaign, state: CampaignState) -> CampaignResponse:
    """Return a campaign with its draft."""
    return build_response(CampaignResponse, *_sources(campaign), state=state, schedule=_schedule(campaign))


def campaign_summary(campaign: Campaign, state: CampaignState) -> CampaignSummaryResponse:
    """Return a campaign for a list."""
    return build_response(
        CampaignSummaryResponse,
        *_sources(campaign),
        state=state,
        schedule=_schedule(campaign),
        audience=_audience_summary(campaign.audience),
    )


def _sources(campaign: Campaign) -> tuple[StrictModel, ...]:
    """Return the draft and, if it was written in the short form, the short form."""
    return (campaign, campaign.short_form) if campaign.short_form else (campaign,)


def _audience_summary(audience: Audience | None) -> AudienceSummary | None:
    if audience is None:
        return None
    return AudienceSummary(segment_uid=audience.segment_uid, contact_count=len(audience.contact_uids or ()))


def version_summary(version: CampaignVersion) -> VersionSummaryResponse:
    """Return a published version for a list."""
    return VersionSummaryResponse.model_construct(
        **{name: getattr(version, name) for name in VersionSummaryResponse.model_fields}
    )


def validation_response(
    problems: Sequence[Problem], warnings: Sequence[Problem], campaign: Campaign, starts: Sequence[datetime]
) -> ValidationResponse:
    """Return the problems of a draft. Those of the whole draft come first, because the last of very many are cut."""
    first = sorted(problems, key=lambda problem: problem.field != "steps")[:MAX_PROBLEMS]
    return ValidationResponse(
        valid=not problems,
        errors=tuple(_problem(problem, campaign) for problem in first),
        warnings=tuple(_problem(problem, campaign) for problem in warnings),
        next_starts=tuple(starts),
    )


def launch_response(launched: LaunchResult) -> LaunchResponse:
    """Return the result of a launch."""
    flow = launched.flow
    return LaunchResponse(
        flow_uid=flow.uid if flow else None,
        status=flow.status.value if flow else "scheduled",
        state=launched.state,
        next_starts=tuple(launched.starts),
    )


def _schedule(campaign: Campaign) -> ScheduleResponse | None:
    schedule = campaign.schedule
    if schedule is None:
        return None
    return ScheduleResponse(
        next_starts=tuple(upcoming_starts(campaign)),
        timezone=schedule.timezone,
        paused=schedule.paused,
        skipped=schedule.skipped,
    )


def _problem(problem: Problem, campaign: Campaign) -> ProblemResponse:
    step = _step_at(campaign, problem.field)
    step_id = step.get("id") if isinstance(step, dict) else None
    # A draft is stored as it was written, so its ids may be of any type.
    return build_response(ProblemResponse, step_id=step_id, field=problem.field, message=problem.message)


def _step_at(campaign: Campaign, field: str) -> object:
    """Return the innermost step on the path to a field. None if there is no step: the caller chose the names in it."""
    step: object = None
    here: object = {"steps": list(campaign.steps)}
    for name, index in _PLACE.findall(field):
        inside = here.get(name) if isinstance(here, dict) else None
        here = inside[int(index)] if isinstance(inside, list) and int(index) < len(inside) else None
        step = here if name == "steps" else step
    return step


def campaign_status(
    state: CampaignState, described: FlowDescription | None, campaign: Campaign
) -> CampaignStatusResponse:
    """Return the live status of a campaign."""
    schedule = _schedule(campaign)
    if described is None:
        return build_response(CampaignStatusResponse, state=state, schedule=schedule, **_NO_FLOW)
    stats, flow = flow_stats(described), described.flow
    counters = stats.model_dump(mode="json", by_alias=True)
    return CampaignStatusResponse(
        state=state,
        schedule=schedule,
        flow_uid=flow.uid,
        flow_status=flow.status,
        executions={name: counters[name] for name in _EXECUTIONS},
        messages={name: counters[name] for name in _MESSAGES},
        nodes=stats.nodes,
        spent=stats.spent,
        estimated_remaining_cost=stats.estimated_remaining_cost,
        currency=stats.currency,
        pause_reason=flow.pause_reason,
        paused_by=flow.paused_by,
        paused_at=flow.paused_at,
        end_reason=flow.end_reason,
        in_flight=described.in_flight,
        cost=cost_response(described),
    )
