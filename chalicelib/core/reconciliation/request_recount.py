"""Request a recount of a flow. One pass serves all requests that were made before it began."""

from datetime import timedelta

from chalicelib.core.reconciliation.recount_pass import RecountPass
from chalicelib.errors import Conflict
from chalicelib.model.flow import CONTACTS_PER_SHARD, Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount
from chalicelib.ports import Ports

NOW = timedelta(0)
#: Delay of the next pass after executions changed during a pass.
LOOK_AGAIN = timedelta(seconds=10)
#: Longest delay of the job queue. Later recounts are sent by the watchdog.
LONGEST_DELAY = timedelta(minutes=14)
#: Longest interval between the recounts of an ended flow while receipts still arrive.
LONGEST_INTERVAL = timedelta(days=1)


def request_recount(ports: Ports, workspace: WorkspaceUid, flow: Flow, delay: timedelta = NOW) -> None:
    """Request a recount that sees everything that was stored before `flow` was read.

    A pass that begins in a later epoch of the statistics has seen it. If such a pass ends before the job arrives, the
    job is dropped.
    """
    job = Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid(), stats_epoch=flow.stats_epoch)
    ports.jobs.send(job, min(delay, LONGEST_DELAY * ports.clock.speed))


def restarted(done: RecountPass) -> Recount:
    """Return the job of another pass, which sees everything that changed since this one began."""
    return Recount(workspace=done.workspace, flow=done.flow, pass_id=new_uid(), stats_epoch=done.epoch)


def schedule_recount(ports: Ports, flow: Flow, done: RecountPass, delay: timedelta) -> None:
    """Schedule another pass after this one: by a job, or by the watchdog if `delay` exceeds that of the queue."""
    longest = LONGEST_DELAY * ports.clock.speed
    if delay <= longest:
        ports.jobs.send(restarted(done), delay)
        return
    try:
        ports.catalog.save(done.workspace, flow.with_recount_at(ports.clock.now() + delay))
    except Conflict:
        ports.jobs.send(restarted(done), longest)


def recount_backoff(ports: Ports, flow: Flow, executions: int = 0) -> timedelta:
    """Return the delay before receipts that arrived during a pass are counted. It grows with the number of executions.

    Receipts may arrive for weeks. So an ended flow waits as long as it has been over, at most LONGEST_INTERVAL.
    """
    speed = ports.clock.speed
    if flow.is_under_way or flow.completed_at is None:
        return min(LOOK_AGAIN * (1 + executions // CONTACTS_PER_SHARD), LONGEST_DELAY) * speed
    return min(max(ports.clock.now() - flow.completed_at, LOOK_AGAIN * speed), LONGEST_INTERVAL)


def change_count(ports: Ports, workspace: WorkspaceUid, flow: FlowUid, epoch: int) -> int:
    """Return the number of statistics updates in an epoch."""
    return ports.statistics.read(workspace, flow, epoch).get("movements", 0)


def has_changed(ports: Ports, current: RecountPass) -> bool:
    """Report whether the statistics were updated since the pass began.

    Then some executions were counted before their change and some after it, so the sum may be wrong.
    """
    return change_count(ports, current.workspace, current.flow, current.epoch) != current.movements
