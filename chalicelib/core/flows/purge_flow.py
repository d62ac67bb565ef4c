"""Deletes the rows of a flow that was deleted."""

from collections.abc import Callable
from datetime import timedelta

from chalicelib.model.ids import FlowUid
from chalicelib.model.queue_messages import PurgeFlow
from chalicelib.ports import Ports

PAGE = 500
#: Time kept to hand over to the next job.
RESERVE = timedelta(seconds=10)


def purge_flow(ports: Ports, job: PurgeFlow, time_left: Callable[[], timedelta]) -> None:
    """Shard by shard from the front, so that another job goes on where this one stopped."""
    workspace, flow = job.workspace, FlowUid(job.flow)
    for shard in range(job.shards):
        while rows := ports.executions.page(workspace, flow, shard, PAGE, None).items:
            if time_left() < RESERVE:
                ports.jobs.send(job)
                return
            ports.executions.remove_many([row.key for row in rows], job.shards)
