"""Finish a recount: replace the statistics by the totals, end the flow if possible, and schedule the next pass."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from chalicelib.core.flows.dispatch_executions import OVERDUE, start_enqueueing
from chalicelib.core.flows.progress import end_status
from chalicelib.core.reconciliation.reconcile_spend import reconcile_spend
from chalicelib.core.reconciliation.recount_pass import RecountPass
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
from chalicelib.model.recount_totals import RecountTotals
from chalicelib.ports import Ports

#: Shortest and longest delay of the watchdog's next check of a stalled flow.
SHORTEST_CHECK = timedelta(minutes=15)
LONGEST_CHECK = timedelta(days=1)
#: Time after a cancellation in which a contact may still be enrolled: the visibility timeout of a crashed job.
LAST_PAGE = timedelta(minutes=7)
#: Time after a flow was closed in which an event may still enrol a contact. The events function runs 30 s at most.
LAST_ENTRY = timedelta(seconds=45)
_EPOCH_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Result:
    """The totals of a pass, and whether the flow budget was reconciled with them."""

    totals: RecountTotals
    is_reconciled: bool

    @property
    def is_unfinished(self) -> bool:
        return bool(self.totals.open or self.totals.awaited or not self.is_reconciled)


class RecountConflict(Enum):
    """The reason that a pass changed nothing."""

    #: Statistics were updated since it began, so the live numbers are better.
    MOVED = auto()
    #: Another pass ended the epoch in which it began, or the flow has too many concurrent changes.
    OVERTAKEN = auto()


def enrolment_is_closed(ports: Ports, flow: Flow) -> bool:
    """Report whether no contact is enrolled any more, not even by a crashed job that repeats its last page."""
    now = ports.clock.now()
    if flow.status is FlowStatus.CANCELLED:
        never_began = flow.epoch == 0
        return flow.is_expanded or never_began or now >= (flow.completed_at or now) + LAST_PAGE
    if flow.closed_at is not None:
        return now >= _emptied_at(ports, flow.closed_at)
    return flow.is_expanded and not flow.takes_entrants


def _emptied_at(ports: Ports, closed_at: datetime) -> datetime:
    return closed_at + LAST_ENTRY * ports.clock.speed


def finish_recount(
    ports: Ports, flow: Flow, totals: RecountTotals, done: RecountPass, *, unless_moved: bool
) -> RecountConflict | None:
    """Make the totals the next epoch of the statistics. Late updates of the old epoch no longer count.

    The budget is reconciled first, because a flow with unsettled money must not end. Changes since the begin of the
    pass are looked for as late as possible. `unless_moved`: with such changes nothing is saved.
    """
    counted = (totals.counters["spent"], totals.claimed)
    result = _Result(totals, reconcile_spend(ports, done.workspace, flow, done.budget_moves, counted))
    for _ in range(_EPOCH_TRIES):
        current = ports.catalog.find(done.workspace, Flow, flow.uid)
        if current is None or current.stats_epoch != done.epoch:
            return RecountConflict.OVERTAKEN
        if not _replace(ports, current, totals, done):
            continue
        if unless_moved and has_changed(ports, done):
            return RecountConflict.MOVED
        try:
            saved = ports.catalog.save(done.workspace, _apply(ports, current, result, done))
        except Conflict:
            continue
        _schedule_next(ports, saved, result, done, at_once=unless_moved)
        return None
    return RecountConflict.OVERTAKEN


def _replace(ports: Ports, current: Flow, totals: RecountTotals, done: RecountPass) -> bool:
    """Store the totals for the next epoch. They take effect when the flow with that epoch is saved."""
    totals.counters["movements"] = current.seen_movements
    if ports.statistics.replace(done.workspace, done.flow, current.stats_epoch + 1, totals.counters, current.rev):
        return True
    # Another pass is at this point or crashed here. A new revision of the flow excludes it.
    with suppress(Conflict):
        ports.catalog.save(done.workspace, current)
    return False


def _apply(ports: Ports, current: Flow, result: _Result, done: RecountPass) -> Flow:
    """Return the flow after the recount: with new statistics, and ended or settled if nothing is left to do."""
    now, totals = ports.clock.now(), result.totals
    waits = (
        result.is_unfinished
        or (current.may_end and not done.enrolment_closed)
        or current.status is FlowStatus.CANCELLED
    )
    flow = current.recounted(totals.overdue, _next_check(now, totals.next_due, waits))
    if current.is_found and current.is_expanded and done.enrolment_closed:
        flow = flow.with_contact_count(totals.counters["total"])
    # A contact that was enrolled during the pass may be in a shard that was counted before.
    if result.is_reconciled and not totals.open and done.enrolment_closed:
        return _end(flow, totals, now)
    return flow


def _end(flow: Flow, totals: RecountTotals, now: datetime) -> Flow:
    """Return the flow without open executions as completed or settled, unless it waits for delivery reports."""
    if flow.may_end and not totals.awaited:
        return flow.completed(end_status(totals.counters), now)
    return flow.settled(now) if flow.status is FlowStatus.CANCELLED else flow


def _next_check(now: datetime, due: datetime | None, is_waiting: bool) -> datetime:
    """Return the time of the watchdog's next check.

    A flow without open executions may accept contacts for years, so it is checked daily. A cancelled flow is checked
    soon, until it is settled.
    """
    if due is None:
        return now + (SHORTEST_CHECK if is_waiting else LONGEST_CHECK)
    return min(max(now + SHORTEST_CHECK, due + OVERDUE), now + LONGEST_CHECK)


def _schedule_next(ports: Ports, flow: Flow, result: _Result, done: RecountPass, *, at_once: bool) -> None:
    """Enqueue overdue executions, and schedule at most one other pass, at the soonest time that is needed.

    `at_once`: a receipt between the last check and the save was shown and is now missing, so the next pass is now.
    """
    totals = result.totals
    if totals.overdue and flow.status is FlowStatus.RUNNING:
        start_enqueueing(ports, done.workspace, flow, overdue_only=True)
    delays = [*_delays(ports, flow, result, done)]
    # A receipt that arrived during the pass was added to an epoch that no longer counts.
    if not totals.open and has_changed(ports, done):
        delays.append(NOW if at_once else recount_backoff(ports, flow, totals.counters["total"]))
    if delays:
        schedule_recount(ports, flow, done, min(delays))


def _delays(ports: Ports, flow: Flow, result: _Result, done: RecountPass) -> Iterator[timedelta]:
    """Yield delays for: a busy budget, held executions of a cancelled flow, awaited receipts, a flow just closed."""
    now, soon, totals = ports.clock.now(), LOOK_AGAIN * ports.clock.speed, result.totals
    if not result.is_reconciled or (flow.status is FlowStatus.CANCELLED and totals.open):
        yield soon
    if flow.status is not FlowStatus.RUNNING or totals.open:
        return
    moments = [totals.next_deadline] if totals.next_deadline is not None else []
    if flow.closed_at and not done.enrolment_closed:
        moments.append(_emptied_at(ports, flow.closed_at))
    for moment in moments:
        yield min(max(moment - now, timedelta(seconds=1)), LONGEST_DELAY)
