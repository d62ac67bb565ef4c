"""Asks for a count of a flow's rows, in such a way that one pass serves all who asked before it began."""

from datetime import timedelta

from chalicelib.errors import Conflict
from chalicelib.model.flow import CONTACTS_PER_SHARD, Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount
from chalicelib.ports import Ports

NOW = timedelta(0)
#: How soon to look again at what moved under a pass.
LOOK_AGAIN = timedelta(seconds=10)
#: Delays of the job queue end at 15 minutes; what is to wait for longer, the watchdog sends.
LONGEST_DELAY = timedelta(minutes=14)
#: A flow that is over is counted this often at least while receipts come under each of its counts.
LONGEST_CALM = timedelta(days=1)


def request_recount(ports: Ports, workspace: WorkspaceUid, flow: Flow, delay: timedelta = NOW) -> None:
    """For who has read the flow after what is to be counted: a pass that begins in a later generation has seen it.

    The job is dropped when such a pass has ended before it comes.
    """
    job = Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid(), stats_epoch=flow.stats_epoch)
    ports.jobs.send(job, min(delay, LONGEST_DELAY * ports.clock.speed))


def restarted(job: Recount) -> Recount:
    """The wish for another pass, for all that was asked of this one or happened in the generation in which it began."""
    return Recount(workspace=job.workspace, flow=job.flow, pass_id=new_uid(), stats_epoch=job.stats_epoch)


def schedule_recount(ports: Ports, flow: Flow, job: Recount, delay: timedelta) -> None:
    """Another pass behind this one, by a job or, if that is far off, by the watchdog."""
    longest = LONGEST_DELAY * ports.clock.speed
    if delay <= longest:
        ports.jobs.send(restarted(job), delay)
        return
    try:
        ports.catalog.save(job.workspace, flow.with_recount_at(ports.clock.now() + delay))
    except Conflict:
        ports.jobs.send(restarted(job), longest)


def recount_backoff(ports: Ports, flow: Flow, rows: int = 0) -> timedelta:
    """How long to wait before receipts that came under a pass are counted; a pass over more rows is waited for longer.

    They may come for weeks: a flow that is over waits as long again as it is over, at most a day.
    """
    speed = ports.clock.speed
    if flow.is_under_way or flow.completed_at is None:
        return min(LOOK_AGAIN * (1 + rows // CONTACTS_PER_SHARD), LONGEST_DELAY) * speed
    return min(max(ports.clock.now() - flow.completed_at, LOOK_AGAIN * speed), LONGEST_CALM)


def change_count(ports: Ports, job: Recount) -> int:
    """Rows that moved under a pass were counted some before and some after: its sum is no better than the live one."""
    return ports.statistics.read(job.workspace, FlowUid(job.flow), job.stats_epoch or 0).get("movements", 0)


def has_changed(ports: Ports, job: Recount) -> bool:
    """Whether anything has since the pass began."""
    return change_count(ports, job) != job.movements
