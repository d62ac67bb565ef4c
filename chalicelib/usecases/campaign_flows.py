"""A campaign by its flows: which are open, what state they give it, and pause, resume and cancel through them."""

from collections.abc import Iterator
from functools import partial

from chalicelib.engine.campaign_state import campaign_state
from chalicelib.errors import Conflict
from chalicelib.model.campaign import Campaign, CampaignState
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports, all_pages
from chalicelib.usecases.change_flow import FlowChange, change_flow

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


def state_of(ports: Ports, workspace: WorkspaceUid, uid: str) -> CampaignState:
    """Where the campaign stands."""
    return campaign_state(deciding_flow(ports, workspace, uid))


def move_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wanted: FlowStatus) -> Flow:
    """Pauses, resumes or cancels every open flow, and returns the newest; Conflict when there is none to be moved."""
    ports.catalog.get(workspace, Campaign, uid)
    movable = [flow for flow in open_flows(ports, workspace, uid) if _can(flow, wanted)]
    if not movable:
        state = state_of(ports, workspace, uid)
        raise Conflict(f"A campaign that is {state} cannot do this", state, _needed(wanted))
    moved = [change_flow(ports, workspace, flow.uid, FlowChange(status=wanted)) for flow in movable]
    return moved[0]


def _can(flow: Flow, wanted: FlowStatus) -> bool:
    if wanted is FlowStatus.PAUSED:
        return flow.status in {FlowStatus.QUEUED, FlowStatus.RUNNING}
    if wanted is FlowStatus.RUNNING:
        return flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR}
    return flow.status is not FlowStatus.DRAFT


def _needed(wanted: FlowStatus) -> tuple[str, ...]:
    running = (CampaignState.SCHEDULED, CampaignState.RUNNING)
    return {FlowStatus.PAUSED: running, FlowStatus.RUNNING: PAUSED}.get(wanted, running + PAUSED)
