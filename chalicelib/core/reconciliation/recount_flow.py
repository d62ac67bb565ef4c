"""Counts the rows of a flow exactly, heals what is overdue, settles what was cancelled, and ends what is over."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.core.flows.dispatch_executions import is_overdue
from chalicelib.core.flows.progress import awaits_delivery, counters_of
from chalicelib.core.reconciliation.finish_recount import RecountConflict, enrolment_is_closed, finish_recount
from chalicelib.core.reconciliation.reconcile_spend import snapshot_budget
from chalicelib.core.reconciliation.request_recount import (
    LOOK_AGAIN,
    change_count,
    has_changed,
    restarted,
    schedule_recount,
)
from chalicelib.model.channel import Channel
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionStatus, mark_unknown
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount
from chalicelib.model.skip_reason import SkipReason
from chalicelib.ports import ExpectUnclaimed, Ports, Save, all_pages

#: Rows read at a time; as many as fit DynamoDB's 1 MB a page.
PAGE = 2_000
#: Time kept to hand over to the next job.
RESERVE = timedelta(seconds=15)
#: How often a flow of one shard is counted on end while something moves under the count that would end it.
COUNTS = 5


def recount_flow(ports: Ports, job: Recount, time_left: Callable[[], timedelta], counts: int = COUNTS) -> None:
    """Shard after shard; what was counted is kept by pass, so a repeated job only counts a shard again.

    `counts`: how often it may be counted; the last count ends the flow although something moved under it.
    """
    workspace = job.workspace
    flow = ports.catalog.find(workspace, Flow, job.flow)
    if flow is None or _is_answered(flow, job):
        return
    if job.movements is None or job.stats_epoch != flow.stats_epoch:
        job = _begin(ports, workspace, flow, _asked(job))
    if not _count_shards(ports, flow, job, time_left):
        return
    counters = _sum(ports.recount_parts.list_parts(workspace, FlowUid(flow.uid), job.pass_id))
    is_through = not counters["open"]
    if not is_through and has_changed(ports, job):
        if flow.status is FlowStatus.CANCELLED:
            schedule_recount(ports, flow, job, LOOK_AGAIN * ports.clock.speed)
        return
    # Counting it once more takes a moment: better than to show numbers that go back for a while.
    again = is_through and flow.shards == 1 and counts > 1
    unsaved = finish_recount(ports, flow, counters, job, unless_moved=again)
    if unsaved is RecountConflict.MOVED:
        recount_flow(ports, restarted(job), time_left, counts - 1)
    elif unsaved is RecountConflict.OVERTAKEN:
        ports.jobs.send(Recount(workspace=job.workspace, flow=job.flow, pass_id=new_uid(), stats_epoch=_asked(job)))


def recount_now(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Counts a flow of one shard at once and returns it as it is then."""
    job = Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid())
    recount_flow(ports, job, lambda: RESERVE * 2)
    return ports.catalog.get(workspace, Flow, flow.uid)


def _is_answered(flow: Flow, job: Recount) -> bool:
    """Whether a whole pass has begun and ended since it was asked for: each ends the generation in which it began."""
    asked = _asked(job)
    return asked is not None and flow.stats_epoch >= asked + 2


def _asked(job: Recount) -> int | None:
    return job.stats_epoch if job.requested_epoch is None else job.requested_epoch


def _begin(ports: Ports, workspace: WorkspaceUid, flow: Flow, asked: int | None) -> Recount:
    """A pass from the first shard on, also where another one has ended the generation in which this one began.

    What it says of the flow is what held before the first row was read: whoever is enrolled, sends or reports under the
    pass may be in a shard that was counted before.
    """
    takes = snapshot_budget(ports, workspace, flow)
    job = Recount(
        workspace=workspace, flow=flow.uid, pass_id=new_uid(), budget_moves=takes, stats_epoch=flow.stats_epoch
    )
    job = job.model_copy(update={"requested_epoch": flow.stats_epoch if asked is None else asked})
    return job.model_copy(
        update={"movements": change_count(ports, job), "enrolment_closed": enrolment_is_closed(ports, flow)}
    )


def _count_shards(ports: Ports, flow: Flow, job: Recount, time_left: Callable[[], timedelta]) -> bool:
    """Whether all are counted: when the time is over, another job goes on."""
    workspace = job.workspace
    reporting = _reporting_channels(ports, workspace)
    for shard in range(job.shard, flow.shards):
        if time_left() < RESERVE:
            ports.jobs.send(job.model_copy(update={"shard": shard}))
            return False
        counted = _count_shard(ports, flow, workspace, shard, reporting)
        ports.recount_parts.put_part(workspace, FlowUid(flow.uid), job.pass_id, shard, counted)
    return True


def _reporting_channels(ports: Ports, workspace: WorkspaceUid) -> frozenset[str]:
    """Channels whose provider reports delivery; a flow waits for those receipts."""
    pages = all_pages(partial(ports.catalog.page, workspace, Channel, {}, 100))
    return frozenset(channel.uid for page in pages for channel in page if channel.reports_receipts)


def _count_shard(
    ports: Ports, flow: Flow, workspace: WorkspaceUid, shard: int, reporting: frozenset[str]
) -> Counter[str]:
    """Open rows, awaited receipts and overdue rows are counted beside the counters, under names of their own."""
    uid = FlowUid(flow.uid)
    counted: Counter[str] = Counter()
    for rows in all_pages(partial(ports.executions.page, workspace, uid, shard, PAGE)):
        current = _skip_cancelled(ports, flow, rows) if flow.status is FlowStatus.CANCELLED else rows
        for row in current:
            timed = _time_out(ports, flow, row, reporting, counted)
            counted.update(counters_of(timed))
            if timed.is_open:
                _note_open(ports, timed, counted)
    return counted


def _skip_cancelled(ports: Ports, flow: Flow, rows: Sequence[Execution]) -> list[Execution]:
    """Open rows that no worker holds become skipped(cancelled)."""
    real_now, now = ports.clock.real(), ports.clock.now()
    ours = [row for row in rows if row.is_open and not (row.claim and row.claim.until > real_now)]
    after = {row.key: replace(_as_cancelled(row, now), seq=row.seq + 1) for row in ours}
    saves = [Save(after[row.key], ExpectUnclaimed.as_seen(row, real_now)) for row in ours]
    held = ports.executions.save_many(saves, flow.shards) if saves else ()
    done = {row.key for row, ok in zip(ours, held, strict=True) if ok}
    return [after[row.key] if row.key in done else row for row in rows]


def _as_cancelled(row: Execution, now: datetime) -> Execution:
    """A claim that ran out under a cancelled flow may have been sent: it stays visible as unknown."""
    if row.claim:
        row = mark_unknown(row, row.claim.node, now)
    return row.finished(ExecutionStatus.SKIPPED, SkipReason.CANCELLED, now)


def _time_out(ports: Ports, flow: Flow, row: Execution, reporting: frozenset[str], counted: Counter[str]) -> Execution:
    """Messages of whose delivery nothing is known for `timeoutMs` are timed out; younger ones are waited for."""
    for node, result in row.results.items():
        if result.channel not in reporting or not awaits_delivery(result, row.receipts.get(node)):
            continue
        deadline = result.at + flow.configuration.timeout
        if deadline > ports.clock.now():
            counted["awaited"] += 1
            _note_soonest(counted, "soonest.receipt", deadline)
            continue
        receipt = DeliveryReceipt(Engagement.TIMED_OUT, ports.clock.now())
        changed = ports.executions.put_receipt(row.key, flow.shards, NodeId(node), receipt)
        row = changed[1] if changed else row
    return row


def _note_open(ports: Ports, row: Execution, counted: Counter[str]) -> None:
    counted["open"] += 1
    counted["claimed"] += row.held - row.paid
    counted["overdue"] += is_overdue(row, ports)
    _note_soonest(counted, "soonest.due", max(row.due or row.updated, ports.clock.now()))


def _note_soonest(counted: Counter[str], name: str, moment: datetime) -> None:
    milliseconds = int(moment.timestamp() * 1000)
    counted[name] = min(counted.get(name, milliseconds), milliseconds)


def _sum(parts: Sequence[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        for name, value in part.items():
            known = total.get(name)
            if name.startswith("soonest."):
                total[name] = min(known or value, value)
            else:
                total[name] += value
    return total
