"""Counts the rows of a flow exactly, heals what is overdue, settles what was cancelled, and ends what is over."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.engine.progress import awaits_delivery, contribution, end_status
from chalicelib.engine.settle import as_unknown
from chalicelib.errors import Conflict
from chalicelib.model.channel import Channel
from chalicelib.model.execution import Engagement, Execution, ExecutionStatus, Receipt
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.hints import Recount
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid, new_uid
from chalicelib.model.skipping import SkipReason
from chalicelib.ports import Ports, Save, Unclaimed, all_pages
from chalicelib.usecases.dispatch_rows import OVERDUE, begin_dispatch, is_overdue
from chalicelib.usecases.settle_books import begin_count, settle_books

#: Rows read at a time; as many as fit DynamoDB's 1 MB a page.
PAGE = 2_000
#: Time kept to hand over to the next job.
RESERVE = timedelta(seconds=15)
#: How soon to look again at cancelled rows that a worker holds, and at a flow that waits for receipts.
LOOK_AGAIN = timedelta(seconds=10)
#: The watchdog's next look at a flow in which nothing moves, and at the latest.
QUIET = timedelta(minutes=15)
AT_LEAST = timedelta(days=1)
#: How long after its cancellation a row may still come to a flow: what SQS keeps a message of a dead job back for.
LAST_PAGE = timedelta(minutes=7)
_EPOCH_TRIES = 5


def recount_flow(ports: Ports, job: Recount, time_left: Callable[[], timedelta], is_second: bool = False) -> None:
    """Shard after shard; what was counted is kept by pass, so a repeated job only counts a shard again.

    `is_second`: it was just counted, and something moved meanwhile.
    """
    workspace, uid = WorkspaceUid(job.w), FlowUid(job.f)
    flow = ports.catalog.find(workspace, Flow, job.f)
    if flow is None:
        return
    if job.movements is None:
        takes = begin_count(ports, workspace, flow)
        job = job.model_copy(update={"movements": _movements(ports, workspace, flow), "takes": takes})
    reporting = _reporting_channels(ports, workspace)
    for shard in range(job.shard, flow.shards):
        if time_left() < RESERVE:
            ports.jobs.send(job.model_copy(update={"shard": shard}))
            return
        counted = _count_shard(ports, flow, workspace, shard, reporting)
        ports.statistics.put_part(workspace, uid, job.pass_id, shard, counted)
    counters = _sum(ports.statistics.parts(workspace, uid, job.pass_id))
    is_through = not counters["open"]
    is_good = is_through or not _has_moved(ports, workspace, flow, job)
    # Counting it once more takes a moment: better than to show numbers that go back for a while.
    again = is_through and flow.shards == 1 and not is_second
    if is_good and not _conclude(ports, workspace, flow, counters, job, unless_moved=again):
        recount_flow(ports, Recount(w=workspace, f=uid, pass_id=new_uid()), time_left, is_second=True)
        return
    # A receipt that came under the pass was added to a generation that counts no more.
    is_stale = is_through and _has_moved(ports, workspace, flow, job)
    if is_stale or (flow.status is FlowStatus.CANCELLED and not is_good):
        ports.jobs.send(Recount(w=workspace, f=uid, pass_id=new_uid()), LOOK_AGAIN * ports.clock.speed)


def recount_now(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Counts a flow of one shard at once and returns it as it is then."""
    job = Recount(w=workspace, f=flow.uid, pass_id=new_uid())
    recount_flow(ports, job, lambda: RESERVE * 2)
    return ports.catalog.get(workspace, Flow, flow.uid)


def _movements(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> int:
    """Rows that moved under a pass were counted some before and some after: its sum is no better than the live one."""
    return ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch).get("movements", 0)


def _has_moved(ports: Ports, workspace: WorkspaceUid, flow: Flow, job: Recount) -> bool:
    return _movements(ports, workspace, flow) != job.movements


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
            counted.update(contribution(timed))
            if timed.is_open:
                _note_open(ports, timed, counted)
    return counted


def _skip_cancelled(ports: Ports, flow: Flow, rows: Sequence[Execution]) -> list[Execution]:
    """Open rows that no worker holds become skipped(cancelled)."""
    real_now, now = ports.clock.real(), ports.clock.now()
    ours = [row for row in rows if row.is_open and not (row.claim and row.claim.until > real_now)]
    after = {row.key: replace(_as_cancelled(row, now), seq=row.seq + 1) for row in ours}
    saves = [Save(after[row.key], Unclaimed.as_seen(row, real_now)) for row in ours]
    held = ports.executions.save_many(saves, flow.shards) if saves else ()
    done = {row.key for row, ok in zip(ours, held, strict=True) if ok}
    return [after[row.key] if row.key in done else row for row in rows]


def _as_cancelled(row: Execution, now: datetime) -> Execution:
    """A claim that ran out under a cancelled flow may have been sent: it stays visible as unknown."""
    if row.claim:
        row = as_unknown(row, row.claim.node, now)
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
        receipt = Receipt(Engagement.TIMED_OUT, ports.clock.now())
        changed = ports.executions.put_receipt(row.key, flow.shards, NodeId(node), receipt)
        row = changed[1] if changed else row
    return row


def _note_open(ports: Ports, row: Execution, counted: Counter[str]) -> None:
    counted["open"] += 1
    counted["claimed"] += row.claim.cost if row.claim else 0
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


def _conclude(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, counters: Counter[str], job: Recount, *, unless_moved: bool
) -> bool:
    """The counted numbers become the next generation of statistics; late additions to the old one count no more.

    The books come first: a flow whose money is not settled has not ended. False when it is left as it was, as
    something has moved since the count began: looked at as late as can be.
    """
    still_open, awaited, overdue, claimed = (
        counters.pop(name, 0) for name in ("open", "awaited", "overdue", "claimed")
    )
    is_booked = _settle(ports, workspace, flow, job.takes, (counters["spent"], claimed))
    is_done = is_booked and not still_open
    due, receipt = counters.pop("soonest.due", None), counters.pop("soonest.receipt", None)
    for _ in range(_EPOCH_TRIES):
        current = ports.catalog.find(workspace, Flow, flow.uid)
        if current is None or current.stats_epoch != flow.stats_epoch:
            return True
        counters["movements"] = current.seen_movements
        if not ports.statistics.replace(workspace, FlowUid(flow.uid), flow.stats_epoch + 1, counters, current.rev):
            # Another pass is here at this moment, or died here: the next rev is ours alone or none of our business.
            with suppress(Conflict):
                ports.catalog.save(workspace, current)
            continue
        if unless_moved and _has_moved(ports, workspace, flow, job):
            return False
        look_again = _look_again(ports.clock.now(), due, _waits(current, still_open + awaited + (not is_booked)))
        changes: dict[str, object] = {"stats_epoch": flow.stats_epoch + 1, "look_again_at": look_again}
        changes["stuck"] = overdue
        if current.is_found and flow.is_expanded:
            changes["contact_count"] = counters["total"]
        if is_done:
            changes |= _ending(current, counters, flow.is_expanded and not awaited, ports.clock.now())
        try:
            saved = ports.catalog.save(workspace, current.model_copy(update=changes))
        except Conflict:
            continue
        _come_back(ports, workspace, saved, still_open, overdue, receipt)
        return True
    return True


def _settle(ports: Ports, workspace: WorkspaceUid, flow: Flow, takes: int | None, counted: tuple[int, int]) -> bool:
    """Whether the books agree with the rows; a batch that was at the purse meanwhile has another pass come soon."""
    if settle_books(ports, workspace, flow, takes, counted):
        return True
    ports.jobs.send(Recount(w=workspace, f=flow.uid, pass_id=new_uid()), LOOK_AGAIN * ports.clock.speed)
    return False


def _waits(flow: Flow, unfinished: int) -> bool:
    """Whether it is to be counted again soon: what is cancelled is, until it is settled."""
    return unfinished > 0 or flow.status is FlowStatus.CANCELLED


def _ending(flow: Flow, counters: Counter[str], all_said: bool, now: datetime) -> dict[str, object]:
    """What changes for a flow without open rows."""
    if flow.may_end and all_said:
        end = end_status(counters)
        flow.check_engine_move(end)
        return {"status": end, "completed_at": now, "end_reason": _end_reason(end)}
    if flow.status is FlowStatus.CANCELLED and _is_filled(flow, now):
        return {"settled_at": now}
    return {}


def _is_filled(flow: Flow, now: datetime) -> bool:
    """Whether nobody is enrolled any more: a job that enrols may crash, and do its last page once more."""
    never_began = flow.epoch == 0
    return flow.is_expanded or never_began or now >= (flow.completed_at or now) + LAST_PAGE


def _look_again(now: datetime, due: int | None, is_waiting: bool) -> datetime:
    """A flow in which everybody is through may be open for new ones for years: it is not counted every few minutes."""
    if due is None:
        return now + (QUIET if is_waiting else AT_LEAST)
    expected = datetime.fromtimestamp(due / 1000, now.tzinfo) + OVERDUE
    return min(max(now + QUIET, expected), now + AT_LEAST)


def _end_reason(end: FlowStatus) -> str | None:
    return {
        FlowStatus.PARTIAL_COMPLETED: "some_not_completed",
        FlowStatus.FAILED: "all_failed",
        FlowStatus.TIMEOUT: "all_timed_out",
    }.get(end)


def _come_back(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, still_open: int, overdue: int, receipt: int | None
) -> None:
    """Another pass, for rows of a cancelled flow that a worker held and for receipts that are awaited; new hints."""
    if overdue and flow.status is FlowStatus.RUNNING:
        begin_dispatch(ports, workspace, flow, heal=True)
    again = Recount(w=workspace, f=flow.uid, pass_id=new_uid())
    if flow.status is FlowStatus.CANCELLED and still_open:
        ports.jobs.send(again, LOOK_AGAIN * ports.clock.speed)
    elif flow.status is FlowStatus.RUNNING and not still_open and receipt is not None:
        now = ports.clock.now()
        wait = datetime.fromtimestamp(receipt / 1000, now.tzinfo) - now
        ports.jobs.send(again, min(max(wait, timedelta(seconds=1)), timedelta(minutes=14)))
