"""Launches a campaign as its trigger says: over its audience at once, by the calendar, or open to events."""

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
from chalicelib.core.launching.open_event_campaign import open_campaign
from chalicelib.core.launching.schedule_campaign import schedule_campaign, upcoming_starts
from chalicelib.errors import Conflict, InvalidRequest, Problem
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.campaign import MAX_VALUES, Campaign, CampaignState, ContactUids
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.trigger import EventTrigger, ScheduledTrigger
from chalicelib.ports import Ports


class LaunchRequest(StrictModel):
    """The body of `launch` and `trigger`: whom, if not the campaign's own audience; by what, if no SEND says it."""

    max_values: ClassVar[int] = MAX_VALUES

    contact_uids: ContactUids | None = None
    segment_uid: Uid | None = None
    channel_uid: Uid | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.contact_uids is not None and self.segment_uid is not None:
            raise ValueError("name either segmentUid or contactUids")
        return self

    @property
    def names_somebody(self) -> bool:
        """Whether it brings an audience along."""
        return self.contact_uids is not None or self.segment_uid is not None


@dataclass(frozen=True, slots=True)
class Launched:
    """The campaign's state, the flow that was started, if one was, and the next starts of a scheduled campaign."""

    state: CampaignState
    flow: Flow | None
    starts: tuple[datetime, ...] = ()


def launch_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wish: LaunchRequest) -> Launched:
    """Conflict while it is under way or scheduled; InvalidRequest with every problem, also when nobody is named."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    check_available(campaign)
    _check_idle(ports, workspace, campaign)
    if not isinstance(campaign.trigger, ScheduledTrigger | EventTrigger):
        flow = start_campaign(ports, workspace, campaign, wish, "launch")
        return Launched(state_of(ports, workspace, campaign), flow)
    channel = _check_unattended(ports, workspace, campaign, wish)
    if isinstance(campaign.trigger, ScheduledTrigger):
        scheduled = schedule_campaign(ports, workspace, campaign.uid, channel)
        return Launched(state_of(ports, workspace, scheduled), None, upcoming_starts(scheduled))
    flow = open_campaign(ports, workspace, campaign.uid, channel)
    return Launched(CampaignState.RUNNING, flow)


def start_campaign(
    ports: Ports, workspace: WorkspaceUid, campaign: Campaign, wish: LaunchRequest, trigger: str, uid: str | None = None
) -> Flow:
    """A flow over those whom the call names, else over the campaign's audience; `uid` is the flow's, if it has one."""
    examination = validate_campaign(ports, workspace, campaign, wish.channel_uid)
    audience = wish if wish.names_somebody else campaign.audience
    problems = list(examination.problems)
    if audience is None:
        problems.append(Problem("audience", "The campaign has no audience, and the call names none"))
    channel = examination.default_channel
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


def _check_unattended(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, wish: LaunchRequest) -> str:
    """The channel of SENDs that name none, "" where nothing is sent; InvalidRequest with every problem of all."""
    examination = validate_campaign(ports, workspace, campaign, wish.channel_uid)
    problems = [*examination.problems, *check_trigger(ports, workspace, campaign)]
    if wish.names_somebody:
        problems.append(Problem("contactUids", f"The trigger {campaign.trigger.type} takes nobody from the call"))
    channel = examination.default_channel
    if channel is None and message_specs(examination.graph):
        problems.append(NO_CHANNEL)
    if problems:
        raise InvalidRequest(problems, "The campaign has problems; fix them first")
    return channel or ""


def _check_idle(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> None:
    if campaign.is_scheduled:
        state = state_of(ports, workspace, campaign)
        raise Conflict(f"The campaign is {state} already, for {campaign.due_at}", state, IDLE)
    for flow in open_flows(ports, workspace, campaign.uid):
        if flow.status is not FlowStatus.DRAFT:
            state = state_of(ports, workspace, campaign)
            raise Conflict(f"The campaign is {state} already, by flow {flow.uid}", state, IDLE)
