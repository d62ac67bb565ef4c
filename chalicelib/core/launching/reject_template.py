"""Reject a template: campaigns that use it cannot be launched, and flows that send it pause."""

from chalicelib.core.campaigns.compiled_version import graph_of, message_specs
from chalicelib.core.flows.control_flow import pause_flow
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.pause import PauseCause, PauseReason
from chalicelib.model.template import Template, TemplateStatus
from chalicelib.ports import Ports


def reject_template(ports: Ports, workspace: WorkspaceUid, uid: str, reason: str) -> Template:
    """Reject a template until it is changed and published again. Messages in flight are still sent.

    Raises NotFound.
    """
    template = ports.catalog.get(workspace, Template, uid)
    update = {"status": TemplateStatus.REJECTED, "reject_reason": reason, "updated_at": ports.clock.now()}
    rejected = ports.catalog.save(workspace, template.model_copy(update=update))
    for owner, flow_uid in ports.schedule.list_active(Flow):
        if owner == workspace and _sends(ports, workspace, flow_uid, uid):
            pause_flow(ports, workspace, flow_uid, PauseReason(PauseCause.TEMPLATE_REJECTED, uid))
    return rejected


def _sends(ports: Ports, workspace: WorkspaceUid, flow_uid: str, template: str) -> bool:
    flow = ports.catalog.find(workspace, Flow, flow_uid)
    if flow is None or flow.campaign_version is None:
        return False
    version = ports.versions.find_version(
        workspace, Campaign, flow.campaign_uid, flow.campaign_version, CampaignVersion
    )
    messages = message_specs(graph_of(ports, workspace, version)).values() if version else ()
    return any(message.template_uid == template for message in messages)
