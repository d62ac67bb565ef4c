"""Deletes the rows of a flow that was deleted."""

from chalicelib.model.hints import Purge
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Ports

PAGE = 500


def purge_flow(ports: Ports, job: Purge) -> None:
    """Shard by shard from the front, so that a repeated job goes on where the first one stopped."""
    workspace, flow = WorkspaceUid(job.w), FlowUid(job.f)
    for shard in range(job.shards):
        while rows := ports.executions.page(workspace, flow, shard, PAGE, None).items:
            ports.executions.remove_many([row.key for row in rows], job.shards)
