"""Starts a flow that is a draft: pins the campaign version, queues it, sends its contacts to be enrolled."""

from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.hints import Expand, Recount
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.ports import Ports
from chalicelib.usecases.publish_campaign import publish_campaign


def start_flow(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Conflict when somebody moved the flow meanwhile; a start whose jobs were lost is revived by the watchdog."""
    flow.check_operator_move(FlowStatus.QUEUED)
    version = flow.campaign_version
    if version is None:
        version = publish_campaign(ports, workspace, flow.campaign_uid, flow.channel_uid)[1].version
    now = ports.clock.now()
    changes: dict[str, object] = {
        "status": FlowStatus.QUEUED,
        "campaign_version": version,
        "epoch": flow.epoch + 1,
        "queued_at": now,
        "updated_at": now,
        "seen_at": now,
    }
    if flow.chunks == 0:
        changes |= {"status": FlowStatus.RUNNING, "started_at": now, "expanded_at": now}
    saved = ports.catalog.save(workspace, flow.model_copy(update=changes))
    expand_rest(ports, workspace, saved)
    if saved.chunks == 0:
        ports.jobs.send(Recount(w=workspace, f=saved.uid, pass_id=new_uid()))
    return saved


def expand_rest(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """One job for every part of the audience that is not enrolled yet."""
    for chunk in range(flow.chunks):
        if chunk not in flow.expanded_chunks:
            ports.jobs.send(Expand(w=workspace, f=flow.uid, chunk=chunk))
