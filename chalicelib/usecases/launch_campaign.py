"""Starts a campaign over its own audience or one that comes with the call."""

from typing import Self

from pydantic import model_validator

from chalicelib.errors import Conflict, InvalidRequest, Problem
from chalicelib.model.base import Outside, Uid
from chalicelib.model.campaign import Campaign, ContactUids
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports
from chalicelib.usecases.campaign_flows import IDLE, open_flows, state_of
from chalicelib.usecases.create_flow import NewFlow, create_flow
from chalicelib.usecases.examine_campaign import NO_CHANNEL, examine_campaign


class LaunchWish(Outside):
    """The body of `launch` and `trigger`: whom, if not the campaign's own audience; by what, if no SEND says it."""

    contact_uids: ContactUids | None = None
    segment_uid: Uid | None = None
    channel_uid: Uid | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.contact_uids is not None and self.segment_uid is not None:
            raise ValueError("name either segmentUid or contactUids")
        return self


def launch_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wish: LaunchWish, trigger: str) -> Flow:
    """Conflict while a flow of it is open; InvalidRequest with every problem, also when nobody is named."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    _check_idle(ports, workspace, uid)
    contacts, segment = wish.contact_uids, wish.segment_uid
    if contacts is None and segment is None and campaign.audience:
        contacts, segment = campaign.audience.contact_uids, campaign.audience.segment_uid
    channel = wish.channel_uid or examine_campaign(ports, workspace, campaign).default_channel
    problems = []
    if contacts is None and segment is None:
        problems.append(Problem("audience", "The campaign has no audience, and the call names none"))
    if channel is None:
        problems.append(NO_CHANNEL)
    if problems or channel is None:
        raise InvalidRequest(problems)
    new = NewFlow(channel_uid=channel, campaign_uid=uid, contact_uids=contacts, segment_uid=segment)
    return create_flow(ports, workspace, new, trigger, lambda: _check_idle(ports, workspace, uid))


def _check_idle(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    for flow in open_flows(ports, workspace, uid):
        if flow.status is not FlowStatus.DRAFT:
            state = state_of(ports, workspace, uid)
            raise Conflict(f"The campaign is {state} already, by flow {flow.uid}", state, IDLE)


def trigger_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wish: LaunchWish) -> Flow:
    """Like launch, for campaigns that are started by hand or by API."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    return launch_campaign(ports, workspace, uid, wish, campaign.trigger.type)
