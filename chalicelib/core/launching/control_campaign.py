"""A campaign by its flows: which are open, what state they give it, and pause, resume and cancel through them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from chalicelib.core.campaigns.campaign_state import campaign_state
from chalicelib.core.flows.control_flow import TRIES, FlowChange, change_flow, check_resumable
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.campaign import Campaign, CampaignState
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.trigger import Schedule
from chalicelib.ports import Ports, all_pages

_PAGE = 100
#: States from which an explicit resume goes on.
PAUSED = (CampaignState.PAUSED, CampaignState.PAUSED_ERROR, CampaignState.PAUSED_BALANCE)

#: States in which no flow is open.
IDLE = (CampaignState.DRAFT, CampaignState.COMPLETED, CampaignState.COMPLETED_PARTIAL)


def flows_of(ports: Ports, workspace: WorkspaceUid, uid: str) -> Iterator[Flow]:
    """All flows of a campaign, newest first."""
    for flows in all_pages(partial(ports.catalog.children, workspace, Campaign, uid, Flow, _PAGE)):
        yield from flows


def open_flows(ports: Ports, workspace: WorkspaceUid, uid: str) -> Iterator[Flow]:
    """Those that are not over."""
    return (flow for flow in flows_of(ports, workspace, uid) if not flow.is_over)


def deciding_flow(ports: Ports, workspace: WorkspaceUid, uid: str) -> Flow | None:
    """The newest flow that is not over, else the newest; drafts only when there is nothing else."""
    newest: Flow | None = None
    for flow in flows_of(ports, workspace, uid):
        if not flow.is_over and flow.status is not FlowStatus.DRAFT:
            return flow
        newest = newest if newest and newest.status is not FlowStatus.DRAFT else flow
    return newest


def state_of(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> CampaignState:
    """Where the campaign stands."""
    return campaign_state(deciding_flow(ports, workspace, campaign.uid), campaign.schedule)


@dataclass(frozen=True, slots=True)
class ControlResult:
    """A campaign after its move, and the newest of its flows that moved, if one did."""

    campaign: Campaign
    flow: Flow | None


def control_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wanted: FlowStatus) -> ControlResult:
    """Pauses, resumes or cancels schedule and open flows; Conflict when there is nothing to be moved.

    The schedule goes first when it is stopped and last when it goes on, so that no start comes in between.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    movable = [flow for flow in open_flows(ports, workspace, uid) if _can(flow, wanted)]
    if not movable and not _would_move(campaign.schedule, wanted):
        state = state_of(ports, workspace, campaign)
        raise Conflict(f"A campaign that is {state} cannot do this", state, _needed(wanted))
    if wanted is FlowStatus.RUNNING:
        for flow in movable:
            check_resumable(ports, workspace, flow)
    else:
        campaign = _move_schedule(ports, workspace, campaign, wanted)
    moved = [change_flow(ports, workspace, flow.uid, FlowChange(status=wanted)) for flow in movable]
    if wanted is FlowStatus.RUNNING:
        campaign = _move_schedule(ports, workspace, campaign, wanted)
    return ControlResult(campaign, moved[0] if moved else None)


def _would_move(schedule: Schedule | None, wanted: FlowStatus) -> bool:
    if schedule is None or schedule.due is None:
        return False
    return {FlowStatus.PAUSED: not schedule.paused, FlowStatus.RUNNING: schedule.paused}.get(wanted, True)


def _move_schedule(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, wanted: FlowStatus) -> Campaign:
    for _ in range(TRIES):
        schedule = campaign.schedule
        if schedule is None or not _would_move(schedule, wanted):
            return campaign
        if wanted is FlowStatus.CANCELLED:
            moved = schedule.without_start("cancelled").model_copy(update={"due": None})
        else:
            moved = schedule.model_copy(update={"paused": wanted is FlowStatus.PAUSED})
        try:
            return ports.catalog.save(workspace, campaign.model_copy(update={"schedule": moved}))
        except Conflict:
            campaign = ports.catalog.get(workspace, Campaign, campaign.uid)
    raise RetryLater("The campaign is being changed by others, try again")


def _can(flow: Flow, wanted: FlowStatus) -> bool:
    if wanted is FlowStatus.PAUSED:
        return flow.status in {FlowStatus.QUEUED, FlowStatus.RUNNING}
    if wanted is FlowStatus.RUNNING:
        return flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR}
    return flow.status is not FlowStatus.DRAFT


def _needed(wanted: FlowStatus) -> tuple[str, ...]:
    running = (CampaignState.SCHEDULED, CampaignState.RUNNING)
    return {FlowStatus.PAUSED: running, FlowStatus.RUNNING: PAUSED}.get(wanted, running + PAUSED)
