"""The state of a campaign, read from the flow that decides it and from its schedule; product.md, “Flow statuses”."""

from typing import assert_never

from chalicelib.model.campaign import CampaignState
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.trigger import Schedule

#: Pause reasons by which the engine itself paused a flow.
BALANCE = "balance"
OPERATOR = "operator"


def campaign_state(flow: Flow | None, schedule: Schedule | None) -> CampaignState:
    """`flow` is the newest that is not over, else the newest there was."""
    is_idle = flow is None or flow.is_over or flow.status is FlowStatus.DRAFT
    if schedule and schedule.due and is_idle:
        return CampaignState.PAUSED if schedule.paused else CampaignState.SCHEDULED
    return _by_flow(flow) if flow else CampaignState.DRAFT


def _by_flow(flow: Flow) -> CampaignState:
    match flow.status:
        case FlowStatus.DRAFT:
            return CampaignState.DRAFT
        case FlowStatus.QUEUED | FlowStatus.RUNNING:
            return CampaignState.RUNNING
        case FlowStatus.PAUSED:
            by_engine = {OPERATOR: CampaignState.PAUSED, BALANCE: CampaignState.PAUSED_BALANCE}
            return by_engine.get((flow.pause_reason or OPERATOR).partition(":")[0], CampaignState.PAUSED_ERROR)
        case FlowStatus.ERROR:
            return CampaignState.PAUSED_ERROR
        case FlowStatus.COMPLETED:
            return CampaignState.COMPLETED
        case FlowStatus.PARTIAL_COMPLETED | FlowStatus.CANCELLED | FlowStatus.FAILED | FlowStatus.TIMEOUT:
            return CampaignState.COMPLETED_PARTIAL
        case _:
            assert_never(flow.status)
