"""Recount a flow: count its executions, find overdue ones, skip cancelled ones, and end the flow if possible."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.core.flows.dispatch_executions import is_overdue
from chalicelib.core.flows.progress import awaits_delivery, counters_of
from chalicelib.core.reconciliation.finish_recount import RecountConflict, enrolment_is_closed, finish_recount
from chalicelib.core.reconciliation.reconcile_spend import snapshot_budget
from chalicelib.core.reconciliation.recount_pass import RecountPass
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
from chalicelib.model.recount_totals import RecountTotals
from chalicelib.model.skip_reason import SkipReason
from chalicelib.ports import ExpectUnclaimed, Ports, Save, all_pages

#: Executions per read. As many fit into one page of DynamoDB, which holds 1 MB.
PAGE = 2_000
#: Time kept to enqueue the job that continues the pass.
RESERVE = timedelta(seconds=15)
#: Largest number of immediate passes over a flow of one shard while executions change during the final pass.
COUNTS = 5


def recount_flow(ports: Ports, job: Recount, time_left: Callable[[], timedelta], counts: int = COUNTS) -> None:
    """Count shard after shard. Partial counts are stored by pass, so a repeated job only counts a shard again.

    `counts`: number of passes left. The last one ends the flow even if receipts arrived during it.
    """
    workspace = job.workspace
    flow = ports.catalog.find(workspace, Flow, job.flow)
    if flow is None or _is_answered(flow, job):
        return
    is_begun = job.movements is not None and job.stats_epoch == flow.stats_epoch
    current = RecountPass.resume(job, flow.stats_epoch) if is_begun else _begin(ports, workspace, flow, job)
    if not _count_shards(ports, flow, current, time_left):
        return
    parts = ports.recount_parts.list_parts(workspace, FlowUid(flow.uid), current.uid)
    totals = RecountTotals.sum(map(RecountTotals.from_part, parts))
    if totals.open and has_changed(ports, current):
        if flow.status is FlowStatus.CANCELLED:
            schedule_recount(ports, flow, current, LOOK_AGAIN * ports.clock.speed)
        return
    # A small flow is counted again at once. Otherwise its numbers would decrease for a moment.
    again = not totals.open and flow.shards == 1 and counts > 1
    conflict = finish_recount(ports, flow, totals, current, unless_moved=again)
    if conflict is RecountConflict.MOVED:
        recount_flow(ports, restarted(current), time_left, counts - 1)
    elif conflict is RecountConflict.OVERTAKEN:
        requested = current.requested_epoch
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid(), stats_epoch=requested))


def recount_now(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Count a flow of one shard now and return it."""
    job = Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid())
    recount_flow(ports, job, lambda: RESERVE * 2)
    return ports.catalog.get(workspace, Flow, flow.uid)


def _is_answered(flow: Flow, job: Recount) -> bool:
    """Report whether a whole pass began and ended since the request. Each pass ends the epoch in which it began."""
    requested = _requested_epoch(job)
    return requested is not None and flow.stats_epoch >= requested + 2


def _requested_epoch(job: Recount) -> int | None:
    return job.stats_epoch if job.requested_epoch is None else job.requested_epoch


def _begin(ports: Ports, workspace: WorkspaceUid, flow: Flow, job: Recount) -> RecountPass:
    """Begin a pass at the first shard, also if another pass has ended the epoch in which this one began."""
    # The budget is read first, see `snapshot_budget`.
    budget_moves = snapshot_budget(ports, workspace, flow)
    uid, requested = FlowUid(flow.uid), _requested_epoch(job)
    return RecountPass(
        workspace=workspace,
        flow=uid,
        uid=new_uid(),
        epoch=flow.stats_epoch,
        requested_epoch=flow.stats_epoch if requested is None else requested,
        movements=change_count(ports, workspace, uid, flow.stats_epoch),
        budget_moves=budget_moves,
        enrolment_closed=enrolment_is_closed(ports, flow),
    )


def _count_shards(ports: Ports, flow: Flow, current: RecountPass, time_left: Callable[[], timedelta]) -> bool:
    """Count the remaining shards. Returns False if time ran out and another job continues the pass."""
    workspace = current.workspace
    reporting = _reporting_channels(ports, workspace)
    for shard in range(current.shard, flow.shards):
        if time_left() < RESERVE:
            ports.jobs.send(current.job_from(shard))
            return False
        totals = _count_shard(ports, flow, workspace, shard, reporting)
        ports.recount_parts.put_part(workspace, current.flow, current.uid, shard, totals.to_part())
    return True


def _reporting_channels(ports: Ports, workspace: WorkspaceUid) -> frozenset[str]:
    """Return the channels with delivery reports. A flow waits for their receipts."""
    pages = all_pages(partial(ports.catalog.page, workspace, Channel, {}, 100))
    return frozenset(channel.uid for page in pages for channel in page if channel.reports_receipts)


def _count_shard(
    ports: Ports, flow: Flow, workspace: WorkspaceUid, shard: int, reporting: frozenset[str]
) -> RecountTotals:
    uid = FlowUid(flow.uid)
    totals = RecountTotals()
    for executions in all_pages(partial(ports.executions.page, workspace, uid, shard, PAGE)):
        current = _skip_cancelled(ports, flow, executions) if flow.status is FlowStatus.CANCELLED else executions
        for execution in current:
            timed = _time_out(ports, flow, execution, reporting, totals)
            totals.counters.update(counters_of(timed))
            if timed.is_open:
                _count_open(ports, timed, totals)
    return totals


def _skip_cancelled(ports: Ports, flow: Flow, executions: Sequence[Execution]) -> list[Execution]:
    """Skip the open executions of a cancelled flow, except those that a worker holds."""
    real_now, now = ports.clock.real(), ports.clock.now()
    free = [each for each in executions if each.is_open and not (each.claim and each.claim.until > real_now)]
    after = {each.key: replace(_as_cancelled(each, now), seq=each.seq + 1) for each in free}
    saves = [Save(after[each.key], ExpectUnclaimed.as_seen(each, real_now)) for each in free]
    saved = ports.executions.save_many(saves, flow.shards) if saves else ()
    done = {each.key for each, ok in zip(free, saved, strict=True) if ok}
    return [after[each.key] if each.key in done else each for each in executions]


def _as_cancelled(execution: Execution, now: datetime) -> Execution:
    """Return the skipped execution. A message with an expired claim may have been sent, so it becomes unknown."""
    if execution.claim:
        execution = mark_unknown(execution, execution.claim.node, now)
    return execution.finished(ExecutionStatus.SKIPPED, SkipReason.CANCELLED, now)


def _time_out(
    ports: Ports, flow: Flow, execution: Execution, reporting: frozenset[str], totals: RecountTotals
) -> Execution:
    """Time out messages without a delivery report for `timeoutMs`. Count those that are still awaited."""
    for node, result in execution.results.items():
        if result.channel not in reporting or not awaits_delivery(result, execution.receipts.get(node)):
            continue
        deadline = result.at + flow.configuration.timeout
        if deadline > ports.clock.now():
            totals.awaited += 1
            totals.note_deadline(deadline)
            continue
        receipt = DeliveryReceipt(Engagement.TIMED_OUT, ports.clock.now())
        changed = ports.executions.put_receipt(execution.key, flow.shards, NodeId(node), receipt)
        execution = changed[1] if changed else execution
    return execution


def _count_open(ports: Ports, execution: Execution, totals: RecountTotals) -> None:
    totals.open += 1
    totals.claimed += execution.held - execution.paid
    totals.overdue += is_overdue(execution, ports)
    totals.note_due(max(execution.due or execution.updated, ports.clock.now()))
