"""Request the recount that ends a flow, once its statistics show no open execution.

The statistics are read strongly from one partition, which DynamoDB limits to 12 MB/s. A thousand batches per second
that each read them would exceed that several times. So a worker that has read how many executions are left reads again
only after it has ended its share of them. If the last execution ends in a worker that does not read, the watchdog ends
the flow.
"""

from datetime import timedelta

from chalicelib.core.flows.progress import remaining_count
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount
from chalicelib.ports import Ports

#: Default quota of concurrent Lambda functions in a region. A worker's share is half of the even share.
WORKERS = 1_000
#: After this time a worker reads the statistics again, because the others have progressed.
SHARE_LIFE = timedelta(seconds=20)
#: Number of flows that a worker remembers.
REMEMBERED = 100


def request_completion(ports: Ports, workspace: WorkspaceUid, flow: Flow, ended: int) -> None:
    """Request a recount if no execution may be left. Called after `ended` more executions were counted."""
    if not flow.may_end or not flow.is_expanded:
        return
    place, now = (workspace, flow.uid, flow.stats_epoch), ports.clock.real()
    unchecked = ports.memory.unchecked_ends
    unseen, until = unchecked.pop(place, (0, now))
    if ended <= unseen and now < until:
        unchecked[place] = unseen - ended, until
        return
    left = remaining_count(flow, ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch))
    if left <= 0:
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
    elif share := left // (2 * WORKERS):
        unchecked[place] = share, now + SHARE_LIFE
        while len(unchecked) > REMEMBERED:
            unchecked.popitem(last=False)
