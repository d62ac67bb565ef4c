"""Starts a campaign over its own audience or one that comes with the call."""

from typing import Self

from pydantic import model_validator

from chalicelib.errors import Conflict, invalid
from chalicelib.model.base import Outside, Uid
from chalicelib.model.campaign import Audience, Campaign, ContactUids
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.graph import Graph
from chalicelib.model.ids import WorkspaceUid
from chalicelib.nodes.send import Send
from chalicelib.ports import Ports
from chalicelib.usecases.campaign_flows import open_flows, state_of
from chalicelib.usecases.create_flow import NewFlow, create_flow
from chalicelib.usecases.examine_campaign import examine_campaign


class LaunchWish(Outside):
    """The body of `launch` and `trigger`: whom, if not the campaign's own audience."""

    contact_uids: ContactUids | None = None
    segment_uid: Uid | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.contact_uids is not None and self.segment_uid is not None:
            raise ValueError("name either segmentUid or contactUids")
        return self


def launch_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wish: LaunchWish, trigger: str) -> Flow:
    """Conflict while a flow of it is open; InvalidRequest with every problem, also when nobody is named."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    for flow in open_flows(ports, workspace, uid):
        if flow.status is not FlowStatus.DRAFT:
            state = state_of(ports, workspace, uid)
            raise Conflict(f"The campaign is {state} already, by flow {flow.uid}", state, ["DRAFT", "COMPLETED"])
    audience = campaign.audience or Audience.model_construct()
    contacts, segment = wish.contact_uids, wish.segment_uid
    if contacts is None and segment is None:
        contacts, segment = audience.contact_uids, audience.segment_uid
    if contacts is None and segment is None:
        raise invalid("audience", "The campaign has no audience, and the call names none")
    channel = _channel_of(campaign, examine_campaign(ports, workspace, campaign).graph)
    new = NewFlow(channel_uid=channel, campaign_uid=uid, contact_uids=contacts, segment_uid=segment)
    return create_flow(ports, workspace, new, trigger)


def _channel_of(campaign: Campaign, graph: Graph) -> str:
    """The flow's channel: that of the short form, else of the first SEND that names one."""
    if campaign.short_form:
        return campaign.short_form.channel_uid
    for node in graph:
        if isinstance(node.step, Send) and node.step.channel_uid:
            return node.step.channel_uid
    raise invalid("steps", "No SEND names a channel: name one, or start by POST /v1/flows with a channelUid")


def trigger_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, wish: LaunchWish) -> Flow:
    """Like launch, for campaigns that are started by hand or by API."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    return launch_campaign(ports, workspace, uid, wish, campaign.trigger.type)
