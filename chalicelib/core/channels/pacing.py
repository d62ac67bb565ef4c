"""Pacing: lanes with their next free moments, handed out so that the mean pause is exact although SQS counts seconds.

A batch asks for turns. A turn at most HORIZON ahead is taken (the handler sleeps up to it); for the others the gate
promises a moment to come back at, a little early, and remembers the last promise (`tail`), so that those who wait
come one after the other. Slots follow from slots, not from arrivals, so lateness does not add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.model.flow import FlowConfiguration
from chalicelib.model.pacing_state import ConcurrencySlot, PacingState
from chalicelib.model.stable_random import stable_fraction

#: Longest that a handler sleeps for a turn: SQS delays are whole seconds, rounded up, and come LEAD early.
HORIZON = timedelta(milliseconds=1_500)
#: Promises are kept this much early, so that a hint which SQS brings a little late still meets its slot.
LEAD = timedelta(milliseconds=1_250)
#: What a send is taken to last where only concurrency is limited; spreads those who wait.
ASSUMED_SEND = timedelta(milliseconds=100)
#: A start this much behind its slot moves the lane's next slot, so that a pause is never cut short by an outage.
TOLERANCE = timedelta(milliseconds=250)
#: SQS has no shorter delay.
_SOONEST = timedelta(seconds=1)
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to start one send at `slot` on a lane."""

    lane: int
    slot: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """Come back at `moment`, a little before `slot`; who brings the promise along does not stand in line again."""

    moment: datetime
    slot: datetime


@dataclass(frozen=True, slots=True)
class PermitRequest:
    """One batch at the gate: `lease` is the real-clock moment until which its lanes are its own."""

    batch: str
    count: int
    epoch: int
    now: datetime
    real_now: datetime
    lease: datetime
    #: How fast `now` runs: SQS counts real seconds, so horizon and lead are real time too.
    speed: float = 1.0
    #: The slots that those who ask were promised before, as far as they were.
    promised: tuple[datetime | None, ...] = ()


@dataclass(frozen=True, slots=True)
class PermitGrant:
    """Turns for the first of those who asked; for the rest, when to come back."""

    gate: PacingState
    turns: tuple[Permit, ...]
    come_back: tuple[Reservation, ...]


def interval(configuration: FlowConfiguration) -> timedelta:
    """Mean time between two starts of the whole flow; zero where it is not paced."""
    if configuration.lanes is None:
        return _NOTHING
    return (configuration.pause or ASSUMED_SEND) / configuration.lanes


def grant_permits(gate: PacingState, asking: PermitRequest, configuration: FlowConfiguration) -> PermitGrant:
    """Takes turns within the horizon and promises moments to the others; the gate's rev is not changed here."""
    gate = _fitted(gate, asking, configuration)
    lanes = list(gate.lanes)
    turns: list[Permit] = []
    while len(turns) < asking.count:
        index = _next_lane(lanes, asking)
        if index is None:
            break
        slot = max(asking.now, lanes[index].free or asking.now)
        turns.append(Permit(index, slot))
        lanes[index] = _after(lanes[index], slot, asking, configuration, len(turns))
    earliest = min(max(asking.now, lane.free or asking.now) for lane in lanes)
    tail, come_back = _promise(gate.tail, earliest, asking, configuration, len(turns))
    return PermitGrant(replace(gate, lanes=tuple(lanes), tail=tail), tuple(turns), come_back)


def release_permits(
    gate: PacingState, batch: str, starts: Mapping[int, datetime], configuration: FlowConfiguration
) -> PacingState:
    """Gives the batch's lanes back; `starts` are the late starts by lane, which push the next slot."""
    lanes = tuple(
        replace(lane, by=None, until=None, free=_pushed(lane, starts.get(index), configuration))
        if lane.by == batch
        else lane
        for index, lane in enumerate(gate.lanes)
    )
    return replace(gate, lanes=lanes)


def _fitted(gate: PacingState, asking: PermitRequest, configuration: FlowConfiguration) -> PacingState:
    """The gate with as many lanes as configured; after a resume without promises, and with pauses as configured now."""
    count = configuration.lanes or 1
    # Lanes that are new begin one step of the line after the other, so that they stay evenly apart.
    step = interval(configuration) if configuration.pause else _NOTHING
    lanes = gate.lanes[:count] + tuple(
        ConcurrencySlot(asking.now + step * index) for index in range(len(gate.lanes), count)
    )
    if gate.epoch == asking.epoch:
        return replace(gate, lanes=lanes)
    latest = asking.now + configuration.pause + configuration.salt
    kept = tuple(replace(lane, free=min(lane.free, latest) if lane.free else None) for lane in lanes)
    return replace(gate, lanes=kept, tail=None, epoch=asking.epoch)


def _next_lane(lanes: list[ConcurrencySlot], asking: PermitRequest) -> int | None:
    usable = [index for index, lane in enumerate(lanes) if lane.is_usable(asking.batch, asking.real_now)]
    if not usable:
        return None
    best = min(usable, key=lambda index: max(asking.now, lanes[index].free or asking.now))
    return best if (lanes[best].free or asking.now) - asking.now <= HORIZON * asking.speed else None


def _after(
    lane: ConcurrencySlot, slot: datetime, asking: PermitRequest, configuration: FlowConfiguration, number: int
) -> ConcurrencySlot:
    """Salts come in pairs, drawn and owed back, so that the mean pause is the base and not merely near it."""
    salt, owed = lane.owed, _NOTHING
    if configuration.salt and not salt:
        salt = configuration.salt * (2 * stable_fraction(asking.batch, number) - 1)
        owed = -salt
    return ConcurrencySlot(slot + configuration.pause + salt, asking.batch, asking.lease, owed)


def _promise(
    tail: datetime | None, earliest: datetime, asking: PermitRequest, configuration: FlowConfiguration, admitted: int
) -> tuple[datetime | None, tuple[Reservation, ...]]:
    """Those without a promise, or with one that has passed, go to the end of the line.

    Salts move a lane's slots by up to one salt from the even pace of the line, so those in it come one salt earlier.
    """
    step, lead = interval(configuration), LEAD * asking.speed
    soonest = asking.now + _SOONEST * asking.speed
    given: list[Reservation] = []
    for before in (asking.promised + (None,) * asking.count)[admitted : asking.count]:
        if before and before > asking.now:
            given.append(Reservation(max(soonest, max(before, earliest) - lead), before))
            continue
        tail = max(earliest, tail + step) if tail else earliest
        given.append(Reservation(max(soonest, tail - lead - configuration.salt), tail))
    return tail, tuple(given)


def _pushed(lane: ConcurrencySlot, start: datetime | None, configuration: FlowConfiguration) -> datetime | None:
    if start is None or lane.free is None:
        return lane.free
    return max(lane.free, start + configuration.pause)
