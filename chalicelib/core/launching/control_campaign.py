"""Find the flows and the state of a campaign, and pause, resume or cancel it."""

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
#: States that a resume ends.
PAUSED = (CampaignState.PAUSED, CampaignState.PAUSED_ERROR, CampaignState.PAUSED_BALANCE)

#: States without an open flow.
IDLE = (CampaignState.DRAFT, CampaignState.COMPLETED, CampaignState.COMPLETED_PARTIAL)


def flows_of(ports: Ports, workspace: WorkspaceUid, uid: str) -> Iterator[Flow]:
    """Yield all flows of a campaign, newest first."""
    for flows in all_pages(partial(ports.catalog.children, workspace, Campaign, uid, Flow, _PAGE)):
        yield from flows


def open_flows(ports: Ports, workspace: WorkspaceUid, uid: str) -> Iterator[Flow]:
    """Yield the flows of a campaign that have not ended, newest first."""
    return (flow for flow in flows_of(ports, workspace, uid) if not flow.is_over)


def deciding_flow(ports: Ports, workspace: WorkspaceUid, uid: str) -> Flow | None:
    """Return the flow that decides the state of a campaign, or None without a flow.

    It is the newest flow that has not ended, or else the newest one. A draft counts only if there is no other flow.
    """
    newest: Flow | None = None
    for flow in flows_of(ports, workspace, uid):
        if not flow.is_over and flow.status is not FlowStatus.DRAFT:
            return flow
        newest = newest if newest and newest.status is not FlowStatus.DRAFT else flow
    return newest


def state_of(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> CampaignState:
    """Return the state of a campaign."""
    return campaign_state(deciding_flow(ports, workspace, campaign.uid), campaign.schedule)


@dataclass(frozen=True, slots=True)
class ControlResult:
    """A changed campaign, and the newest of its flows that changed, or None."""

    campaign: Campaign
    flow: Flow | None


def control_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, target: FlowStatus) -> ControlResult:
    """Pause, resume or cancel the schedule and the open flows of a campaign. Raises Conflict if nothing changes.

    The schedule stops before the flows and resumes after them. Otherwise a start could happen in between.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    affected = [flow for flow in open_flows(ports, workspace, uid) if _is_affected(flow, target)]
    if not affected and not _affects_schedule(campaign.schedule, target):
        state = state_of(ports, workspace, campaign)
        verb = {FlowStatus.PAUSED: "paused", FlowStatus.RUNNING: "resumed"}.get(target, "cancelled")
        raise Conflict(f"A campaign in state {state} cannot be {verb}", state, _allowed_states(target))
    if target is FlowStatus.RUNNING:
        for flow in affected:
            check_resumable(ports, workspace, flow)
    else:
        campaign = _update_schedule(ports, workspace, campaign, target)
    changed = [change_flow(ports, workspace, flow.uid, FlowChange(status=target)) for flow in affected]
    if target is FlowStatus.RUNNING:
        campaign = _update_schedule(ports, workspace, campaign, target)
    return ControlResult(campaign, changed[0] if changed else None)


def _affects_schedule(schedule: Schedule | None, target: FlowStatus) -> bool:
    if schedule is None or schedule.due is None:
        return False
    return {FlowStatus.PAUSED: not schedule.paused, FlowStatus.RUNNING: schedule.paused}.get(target, True)


def _update_schedule(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, target: FlowStatus) -> Campaign:
    for _ in range(TRIES):
        schedule = campaign.schedule
        if schedule is None or not _affects_schedule(schedule, target):
            return campaign
        if target is FlowStatus.CANCELLED:
            changed = schedule.without_start("cancelled").model_copy(update={"due": None})
        else:
            changed = schedule.model_copy(update={"paused": target is FlowStatus.PAUSED})
        try:
            return ports.catalog.save(workspace, campaign.model_copy(update={"schedule": changed}))
        except Conflict:
            campaign = ports.catalog.get(workspace, Campaign, campaign.uid)
    raise RetryLater("The campaign was changed at the same time; try again")


def _is_affected(flow: Flow, target: FlowStatus) -> bool:
    if target is FlowStatus.PAUSED:
        return flow.status in {FlowStatus.QUEUED, FlowStatus.RUNNING}
    if target is FlowStatus.RUNNING:
        return flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR}
    return flow.status is not FlowStatus.DRAFT


def _allowed_states(target: FlowStatus) -> tuple[str, ...]:
    running = (CampaignState.SCHEDULED, CampaignState.RUNNING)
    return {FlowStatus.PAUSED: running, FlowStatus.RUNNING: PAUSED}.get(target, running + PAUSED)
