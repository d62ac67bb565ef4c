"""Derive the state of a campaign from its schedule and from the flow that decides the state."""

from collections.abc import Mapping
from typing import assert_never

from chalicelib.model.campaign import CampaignState
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.pause import PauseCause
from chalicelib.model.trigger import Schedule

#: Any other cause needs the operator to repair something first.
_PAUSED: Mapping[PauseCause | None, CampaignState] = {
    None: CampaignState.PAUSED,
    PauseCause.OPERATOR: CampaignState.PAUSED,
    PauseCause.BALANCE: CampaignState.PAUSED_BALANCE,
}


def campaign_state(flow: Flow | None, schedule: Schedule | None) -> CampaignState:
    """Return the state of a campaign. `flow` is its newest flow that has not ended, or else its newest flow."""
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
            return _PAUSED.get(flow.pause_cause, CampaignState.PAUSED_ERROR)
        case FlowStatus.ERROR:
            return CampaignState.PAUSED_ERROR
        case FlowStatus.COMPLETED:
            return CampaignState.COMPLETED
        case FlowStatus.PARTIAL_COMPLETED | FlowStatus.CANCELLED | FlowStatus.FAILED | FlowStatus.TIMEOUT:
            return CampaignState.COMPLETED_PARTIAL
        case _:
            assert_never(flow.status)
