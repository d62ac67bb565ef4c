"""Hints the rows of a flow that are pending: after expansion, on resume, and never faster than pacing allows."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chalicelib.core.channels.acquire_rate import slowest_interval
from chalicelib.core.channels.pacing import LEAD, interval
from chalicelib.core.flows.progress import looks_finished
from chalicelib.core.queueing.enqueue_steps import enqueue_steps
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import EnqueuePending, Recount, ScheduledStep, build_step_message
from chalicelib.ports import Ports

#: A paced flow is hinted for this long at a time, so that a pause stops a cursor and not a million messages.
WINDOW = timedelta(seconds=90)
#: Rows of one page where nothing paces the flow.
PAGE = 1_000
#: Parallel chains of an unpaced flow.
CHAINS = 8
#: With more hints than this waiting, the workers are behind and the next page waits.
FULL_QUEUE = 2_000
WAIT_WHEN_FULL = timedelta(seconds=2)
#: Delays of the job queue end at 15 minutes.
LONGEST_DELAY = timedelta(minutes=14)
#: One more hint for a row this much past its time is harmless, and heals it if its own was lost.
OVERDUE = timedelta(minutes=2)
#: Time kept to hand over to the next job.
RESERVE = timedelta(seconds=10)


def start_enqueueing(ports: Ports, workspace: WorkspaceUid, flow: Flow, *, heal: bool = False) -> None:
    """Starts the chains of jobs that hint every open row of the flow once, or only those that have lost their hint."""
    chains = 1 if _step(ports, workspace, flow) else min(CHAINS, flow.shards)
    for shard in range(chains):
        ports.jobs.send(
            EnqueuePending(
                workspace=workspace, flow=flow.uid, epoch=flow.epoch, shard=shard, stride=chains, overdue_only=heal
            )
        )


def is_overdue(row: Execution, ports: Ports) -> bool:
    """Whether an open row that nobody holds is so late that its hint is lost, or the queue far behind."""
    is_held = row.claim is not None and row.claim.until > ports.clock.real()
    return row.is_open and not is_held and (row.due or row.updated) + OVERDUE * ports.clock.speed < ports.clock.now()


def enqueue_pending(ports: Ports, job: EnqueuePending, time_left: Callable[[], timedelta]) -> None:
    """Page after page until the time, the queue or the pacing window is full; then a job goes on from there."""
    workspace = job.workspace
    while True:
        flow = ports.catalog.find(workspace, Flow, job.flow)
        if flow is None or flow.status is not FlowStatus.RUNNING or flow.epoch != job.epoch:
            return
        if ports.steps.backlog() > FULL_QUEUE:
            ports.jobs.send(job, WAIT_WHEN_FULL)
            return
        following, delay = _dispatch_page(ports, flow, job)
        if following is None:
            _check_for_the_end(ports, workspace, flow)
            return
        job = following
        if delay or time_left() < RESERVE:
            ports.jobs.send(job, delay)
            return


def _dispatch_page(ports: Ports, flow: Flow, job: EnqueuePending) -> tuple[EnqueuePending | None, timedelta]:
    """Hints one page; what comes next, and how long that is to wait."""
    step = _step(ports, job.workspace, flow)
    limit = min(PAGE, max(1, int(WINDOW / step))) if step else PAGE
    page = ports.executions.page(job.workspace, FlowUid(job.flow), job.shard, limit, job.cursor)
    now = ports.clock.now()
    early = LEAD * ports.clock.speed + flow.configuration.salt
    rows = [row for row in page.items if (is_overdue(row, ports) if job.overdue_only else row.is_open)]
    hints = _hints(rows, now, step, early)
    enqueue_steps(ports, hints)
    delay = min(LONGEST_DELAY, step * len(hints))
    if page.cursor:
        return job.model_copy(update={"cursor": page.cursor}), delay
    shard = job.shard + job.stride
    if shard >= flow.shards:
        return None, delay
    return job.model_copy(update={"shard": shard, "cursor": None}), delay


def _step(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> timedelta:
    """Mean time between two sends, by the flow's pacing and its slowest channel; zero where nothing limits them."""
    return max(interval(flow.configuration), slowest_interval(ports, workspace, flow))


def _hints(rows: Sequence[Execution], now: datetime, step: timedelta, early: timedelta) -> list[ScheduledStep]:
    """Spread over the window, a little early, since the gate only moves those who come too soon."""
    return [
        ScheduledStep(build_step_message(row.key, row.seq), max(now, row.due or now, now + step * index - early))
        for index, row in enumerate(rows)
    ]


def _check_for_the_end(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Everything may have been over before the last page, or have been over all the time."""
    counters = ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch)
    if looks_finished(flow, counters):
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
