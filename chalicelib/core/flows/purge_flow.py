"""Delete the executions of a deleted flow."""

from collections.abc import Callable
from datetime import timedelta

from chalicelib.model.ids import FlowUid
from chalicelib.model.queue_messages import PurgeFlow
from chalicelib.ports import Ports

PAGE = 500
#: Time kept to enqueue the next job.
RESERVE = timedelta(seconds=10)


def purge_flow(ports: Ports, job: PurgeFlow, time_left: Callable[[], timedelta]) -> None:
    """Delete shard by shard from the front, so that the next job continues where this one stopped."""
    workspace, flow = job.workspace, FlowUid(job.flow)
    for shard in range(job.shards):
        while executions := ports.executions.page(workspace, flow, shard, PAGE, None).items:
            if time_left() < RESERVE:
                ports.jobs.send(job)
                return
            ports.executions.remove_many([each.key for each in executions], job.shards)
