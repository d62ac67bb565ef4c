"""Launch a campaign: start it for its audience, schedule it, or open it to events, according to its trigger."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from pydantic import model_validator

from chalicelib.core.campaigns.compiled_version import message_specs
from chalicelib.core.campaigns.validate_campaign import NO_CHANNEL, validate_campaign
from chalicelib.core.campaigns.validate_trigger import check_trigger
from chalicelib.core.flows.create_flow import NewFlow, create_flow
from chalicelib.core.flows.start_flow import check_available
from chalicelib.core.launching.control_campaign import IDLE, open_flows, state_of
from chalicelib.core.launching.open_event_campaign import open_event_campaign
from chalicelib.core.launching.schedule_campaign import schedule_campaign, upcoming_starts
from chalicelib.errors import Conflict, InvalidRequest, Problem
from chalicelib.model.base import StrictModel, Uid, rfc3339
from chalicelib.model.campaign import MAX_VALUES, Campaign, CampaignState, ContactUids
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.trigger import EventTrigger, ScheduledTrigger
from chalicelib.ports import Ports


class LaunchRequest(StrictModel):
    """The body of `launch` and `trigger`: an audience in place of the campaign's, and a default channel."""

    max_values: ClassVar[int] = MAX_VALUES

    contact_uids: ContactUids | None = None
    """Contacts that replace the campaign's audience."""
    segment_uid: Uid | None = None
    """Segment that replaces the campaign's audience; not together with `contactUids`."""
    channel_uid: Uid | None = None
    """Channel of the SEND steps that name none."""

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.contact_uids is not None and self.segment_uid is not None:
            raise ValueError("set either segmentUid or contactUids")
        return self

    @property
    def has_audience(self) -> bool:
        """Return whether the request names an audience."""
        return self.contact_uids is not None or self.segment_uid is not None


@dataclass(frozen=True, slots=True)
class LaunchResult:
    """The new state of the campaign, the started flow or None, and the next starts of a scheduled campaign."""

    state: CampaignState
    flow: Flow | None
    starts: tuple[datetime, ...] = ()


def launch_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, request: LaunchRequest) -> LaunchResult:
    """Launch a campaign.

    Raises NotFound, Conflict while it is running or scheduled, or InvalidRequest with all problems.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    check_available(campaign)
    _check_idle(ports, workspace, campaign)
    if not isinstance(campaign.trigger, ScheduledTrigger | EventTrigger):
        flow = start_campaign(ports, workspace, campaign, request, "launch")
        return LaunchResult(state_of(ports, workspace, campaign), flow)
    channel = _check_automatic_launch(ports, workspace, campaign, request)
    if isinstance(campaign.trigger, ScheduledTrigger):
        scheduled = schedule_campaign(ports, workspace, campaign.uid, channel)
        return LaunchResult(state_of(ports, workspace, scheduled), None, upcoming_starts(scheduled))
    flow = open_event_campaign(ports, workspace, campaign.uid, channel)
    return LaunchResult(CampaignState.RUNNING, flow)


def start_campaign(
    ports: Ports,
    workspace: WorkspaceUid,
    campaign: Campaign,
    request: LaunchRequest,
    trigger: str,
    uid: str | None = None,
) -> Flow:
    """Start a flow for the audience of the request, or else for that of the campaign. `uid` becomes the flow's uid.

    Raises InvalidRequest with all problems, or Conflict while the campaign is running or scheduled.
    """
    report = validate_campaign(ports, workspace, campaign, request.channel_uid)
    audience = request if request.has_audience else campaign.audience
    problems = list(report.problems)
    if audience is None:
        problems.append(Problem("audience", "The campaign has no audience; set one, or send contactUids or segmentUid"))
    channel = report.default_channel
    if channel is None:
        problems.append(NO_CHANNEL)
    if problems or audience is None or channel is None:
        raise InvalidRequest(problems, "The campaign has problems; fix them first")
    new = NewFlow(
        channel_uid=channel,
        campaign_uid=campaign.uid,
        contact_uids=audience.contact_uids,
        segment_uid=audience.segment_uid,
    )
    return create_flow(ports, workspace, new, trigger, lambda: _check_idle(ports, workspace, campaign), uid)


def _check_automatic_launch(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, request: LaunchRequest) -> str:
    """Check a campaign that a schedule or events start. Returns its default channel, "" if it sends nothing.

    Raises InvalidRequest with all problems.
    """
    report = validate_campaign(ports, workspace, campaign, request.channel_uid)
    problems = [*report.problems, *check_trigger(ports, workspace, campaign)]
    if request.has_audience:
        problems.append(
            Problem("contactUids", f"A launch with the trigger {campaign.trigger.type} accepts no audience")
        )
    channel = report.default_channel
    if channel is None and message_specs(report.graph):
        problems.append(NO_CHANNEL)
    if problems:
        raise InvalidRequest(problems, "The campaign has problems; fix them first")
    return channel or ""


def _check_idle(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> None:
    if campaign.due_at is not None:
        state = state_of(ports, workspace, campaign)
        raise Conflict(f"The campaign is already {state}; its next start is {rfc3339(campaign.due_at)}", state, IDLE)
    for flow in open_flows(ports, workspace, campaign.uid):
        if flow.status is not FlowStatus.DRAFT:
            state = state_of(ports, workspace, campaign)
            raise Conflict(f"The campaign is already {state}, with flow {flow.uid}", state, IDLE)
