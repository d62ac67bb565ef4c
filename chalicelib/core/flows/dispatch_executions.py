"""Enqueue the pending executions of a flow after enrolment and on resume, not faster than its pacing."""

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

#: Time that one page of a paced flow covers. A pause then stops a cursor and not a million messages.
WINDOW = timedelta(seconds=90)
#: Executions per page of an unpaced flow.
PAGE = 1_000
#: Parallel chains of jobs for an unpaced flow.
CHAINS = 8
#: With more step messages than this in the queue, the next page waits for the workers.
FULL_QUEUE = 2_000
WAIT_WHEN_FULL = timedelta(seconds=2)
#: Longest delay of a job. The job queue allows 15 minutes.
LONGEST_DELAY = timedelta(minutes=14)
#: Delay after which an execution counts as overdue: its step message may be lost, and another one does no harm.
OVERDUE = timedelta(minutes=2)
#: Time kept to enqueue the next job.
RESERVE = timedelta(seconds=10)


def start_enqueueing(ports: Ports, workspace: WorkspaceUid, flow: Flow, *, overdue_only: bool = False) -> None:
    """Start the chains of jobs that enqueue every open execution once, or only the overdue ones."""
    chains = 1 if _step(ports, workspace, flow) else min(CHAINS, flow.shards)
    for shard in range(chains):
        ports.jobs.send(
            EnqueuePending(
                workspace=workspace,
                flow=flow.uid,
                epoch=flow.epoch,
                shard=shard,
                stride=chains,
                overdue_only=overdue_only,
            )
        )


def is_overdue(execution: Execution, ports: Ports) -> bool:
    """Report whether an open execution without a claim is so late that its step message may be lost."""
    is_held = execution.claim is not None and execution.claim.until > ports.clock.real()
    due = execution.due or execution.updated
    return execution.is_open and not is_held and due + OVERDUE * ports.clock.speed < ports.clock.now()


def enqueue_pending(ports: Ports, job: EnqueuePending, time_left: Callable[[], timedelta]) -> None:
    """Enqueue page after page. A further job continues when time runs out, the queue is full or the window is used."""
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
            _check_end(ports, workspace, flow)
            return
        job = following
        if delay or time_left() < RESERVE:
            ports.jobs.send(job, delay)
            return


def _dispatch_page(ports: Ports, flow: Flow, job: EnqueuePending) -> tuple[EnqueuePending | None, timedelta]:
    """Enqueue one page. Returns the job for the next page, or None at the end, and its delay."""
    step = _step(ports, job.workspace, flow)
    limit = min(PAGE, max(1, int(WINDOW / step))) if step else PAGE
    page = ports.executions.page(job.workspace, FlowUid(job.flow), job.shard, limit, job.cursor)
    now = ports.clock.now()
    early = LEAD * ports.clock.speed + flow.configuration.salt
    wanted = [each for each in page.items if (is_overdue(each, ports) if job.overdue_only else each.is_open)]
    steps = _schedule(wanted, now, step, early)
    enqueue_steps(ports, steps)
    delay = min(LONGEST_DELAY, step * len(steps))
    if page.cursor:
        return job.model_copy(update={"cursor": page.cursor}), delay
    shard = job.shard + job.stride
    if shard >= flow.shards:
        return None, delay
    return job.model_copy(update={"shard": shard, "cursor": None}), delay


def _step(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> timedelta:
    """Return the mean time between two sends, by pacing and the slowest channel. Zero: unlimited."""
    return max(interval(flow.configuration), slowest_interval(ports, workspace, flow))


def _schedule(executions: Sequence[Execution], now: datetime, step: timedelta, early: timedelta) -> list[ScheduledStep]:
    """Spread the steps over the window. They arrive a little early: pacing delays early steps but not late ones."""
    return [
        ScheduledStep(build_step_message(each.key, each.seq), max(now, each.due or now, now + step * index - early))
        for index, each in enumerate(executions)
    ]


def _check_end(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Request a recount if all executions have ended, possibly before the last page."""
    counters = ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch)
    if looks_finished(flow, counters):
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
