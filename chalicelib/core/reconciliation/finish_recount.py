"""Makes what a pass has counted the flow's statistics, ends the flow if it is over, and says what is next."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from chalicelib.core.flows.dispatch_executions import OVERDUE, start_enqueueing
from chalicelib.core.flows.progress import end_status
from chalicelib.core.reconciliation.reconcile_spend import reconcile_spend
from chalicelib.core.reconciliation.request_recount import (
    LONGEST_DELAY,
    LOOK_AGAIN,
    NOW,
    has_changed,
    recount_backoff,
    schedule_recount,
)
from chalicelib.errors import Conflict
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid
from chalicelib.model.queue_messages import Recount
from chalicelib.ports import Ports

#: The watchdog's next look at a flow in which nothing moves, and at the latest.
QUIET = timedelta(minutes=15)
AT_LEAST = timedelta(days=1)
#: How long after its cancellation a row may still come to a flow: what SQS keeps a message of a dead job back for.
LAST_PAGE = timedelta(minutes=7)
#: How long after a flow was closed somebody may still enter who was on the way: a worker of events has 30 seconds.
UNDER_WAY = timedelta(seconds=45)
_EPOCH_TRIES = 5


@dataclass(slots=True)
class _Found:
    """What a pass has counted: the counters, and beside them what is not over."""

    counters: Counter[str]
    still_open: int
    awaited: int
    overdue: int
    #: The cost of claims that nobody has resolved.
    claimed: int
    #: The soonest moments, in epoch milliseconds: at which an open row is due, up to which a receipt is awaited.
    due: int | None
    receipt: int | None
    is_booked: bool = False

    @property
    def is_unfinished(self) -> bool:
        return bool(self.still_open or self.awaited or not self.is_booked)


class RecountConflict(Enum):
    """Why a pass changed nothing."""

    #: Something moved since it began, so the live numbers are the better ones.
    MOVED = auto()
    #: Another pass ended the generation of statistics in which it began, or the flow is being saved by many.
    OVERTAKEN = auto()


def enrolment_is_closed(ports: Ports, flow: Flow) -> bool:
    """Whether nobody is enrolled any more: a job that enrols may crash, and do its last page once more."""
    now = ports.clock.now()
    if flow.status is FlowStatus.CANCELLED:
        never_began = flow.epoch == 0
        return flow.is_expanded or never_began or now >= (flow.completed_at or now) + LAST_PAGE
    if flow.closed_at is not None:
        return now >= _emptied_at(ports, flow.closed_at)
    return flow.is_expanded and not flow.takes_entrants


def _emptied_at(ports: Ports, closed_at: datetime) -> datetime:
    return closed_at + UNDER_WAY * ports.clock.speed


def finish_recount(
    ports: Ports, flow: Flow, total: Counter[str], job: Recount, *, unless_moved: bool
) -> RecountConflict | None:
    """The counted numbers become the next generation of statistics; late additions to the old one count no more.

    The books come first: a flow whose money is not settled has not ended. Whether something has moved since the count
    began is looked at as late as can be.
    """
    found = _read(total)
    counted = (found.counters["spent"], found.claimed)
    found.is_booked = reconcile_spend(ports, job.workspace, flow, job.budget_moves, counted)
    for _ in range(_EPOCH_TRIES):
        current = ports.catalog.find(job.workspace, Flow, flow.uid)
        if current is None or current.stats_epoch != job.stats_epoch:
            return RecountConflict.OVERTAKEN
        if not _replace(ports, current, found, job):
            continue
        if unless_moved and has_changed(ports, job):
            return RecountConflict.MOVED
        try:
            saved = ports.catalog.save(job.workspace, _apply(ports, current, found, job))
        except Conflict:
            continue
        _go_on(ports, saved, found, job, at_once=unless_moved)
        return None
    return RecountConflict.OVERTAKEN


def _read(total: Counter[str]) -> _Found:
    still_open, awaited, overdue, claimed = (total.pop(name, 0) for name in ("open", "awaited", "overdue", "claimed"))
    due, receipt = total.pop("soonest.due", None), total.pop("soonest.receipt", None)
    return _Found(total, still_open, awaited, overdue, claimed, due, receipt)


def _replace(ports: Ports, current: Flow, found: _Found, job: Recount) -> bool:
    workspace, epoch = job.workspace, current.stats_epoch + 1
    found.counters["movements"] = current.seen_movements
    if ports.statistics.replace(workspace, FlowUid(job.flow), epoch, found.counters, current.rev):
        return True
    # Another pass is here at this moment, or died here: the next rev is ours alone or none of our business.
    with suppress(Conflict):
        ports.catalog.save(workspace, current)
    return False


def _apply(ports: Ports, current: Flow, found: _Found, job: Recount) -> Flow:
    """Return the flow after the recount: with new statistics, and ended or settled if nothing is left to do."""
    now = ports.clock.now()
    waits = (
        found.is_unfinished or (current.may_end and not job.enrolment_closed) or current.status is FlowStatus.CANCELLED
    )
    flow = current.recounted(found.overdue, _look_again(now, found.due, waits))
    if current.is_found and current.is_expanded and job.enrolment_closed:
        flow = flow.with_contact_count(found.counters["total"])
    # A contact that was enrolled during the pass may be in a shard that was counted before.
    if found.is_booked and not found.still_open and job.enrolment_closed:
        return _end(flow, found, now)
    return flow


def _end(flow: Flow, found: _Found, now: datetime) -> Flow:
    """Return the flow without open executions as completed or settled, unless it waits for delivery reports."""
    if flow.may_end and not found.awaited:
        return flow.completed(end_status(found.counters), now)
    return flow.settled(now) if flow.status is FlowStatus.CANCELLED else flow


def _look_again(now: datetime, due: int | None, is_waiting: bool) -> datetime:
    """A flow in which everybody is through may be open for new ones for years: it is not counted every few minutes.

    One that is cancelled is counted soon, until it is settled.
    """
    if due is None:
        return now + (QUIET if is_waiting else AT_LEAST)
    expected = datetime.fromtimestamp(due / 1000, now.tzinfo) + OVERDUE
    return min(max(now + QUIET, expected), now + AT_LEAST)


def _go_on(ports: Ports, flow: Flow, found: _Found, job: Recount, *, at_once: bool) -> None:
    """New hints for what lost its own, and at most one other pass: at the first moment for which there is a reason.

    `at_once`: what came between the last look and the save was shown, and is to be shown again.
    """
    if found.overdue and flow.status is FlowStatus.RUNNING:
        start_enqueueing(ports, job.workspace, flow, heal=True)
    waits = [*_waits(ports, flow, found, job)]
    # A receipt that came under the pass was added to a generation that counts no more.
    if not found.still_open and has_changed(ports, job):
        waits.append(NOW if at_once else recount_backoff(ports, flow, found.counters["total"]))
    if waits:
        schedule_recount(ports, flow, job, min(waits))


def _waits(ports: Ports, flow: Flow, found: _Found, job: Recount) -> Iterator[timedelta]:
    """For a batch that was at the purse, rows of a cancelled flow that a worker held, receipts, a flow just closed."""
    now, soon = ports.clock.now(), LOOK_AGAIN * ports.clock.speed
    if not found.is_booked or (flow.status is FlowStatus.CANCELLED and found.still_open):
        yield soon
    if flow.status is not FlowStatus.RUNNING or found.still_open:
        return
    moments = [datetime.fromtimestamp(found.receipt / 1000, now.tzinfo)] if found.receipt is not None else []
    if flow.closed_at and not job.enrolment_closed:
        moments.append(_emptied_at(ports, flow.closed_at))
    for moment in moments:
        yield min(max(moment - now, timedelta(seconds=1)), LONGEST_DELAY)
