"""Asks for the count that ends a flow once its statistics say that all is over; in a large flow not after every batch.

They are read strongly from one partition, of which DynamoDB reads 12 MB a second: a thousand batches a second that each
looked would take several times that. So a worker that has seen how much is left looks again only when it has ended so
many executions itself that its share of them may be done. Should the last one meet a worker that does not look, the
watchdog ends the flow.
"""

from datetime import timedelta

from chalicelib.core.flows.progress import remaining_count
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount
from chalicelib.ports import Ports

#: As many run at once in a region unless the account's quota is raised: each has at least half of its even share.
WORKERS = 1_000
#: A worker that was idle this long knows nothing of how far the others are.
FORGET = timedelta(seconds=20)
#: Flows that a worker remembers.
REMEMBERED = 100


def request_completion(ports: Ports, workspace: WorkspaceUid, flow: Flow, ended: int) -> None:
    """To be called after `ended` executions more were put into the statistics."""
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
        unchecked[place] = share, now + FORGET
        while len(unchecked) > REMEMBERED:
            unchecked.popitem(last=False)
