"""Pacing of a flow: concurrency slots with their next start, granted so that the mean pause is exact.

SQS delays are whole seconds, so a step cannot arrive at its exact start. A batch asks for permits. A start that is at
most HORIZON ahead is granted, and the worker sleeps until then. The other steps get a reservation: they come back a
little before their start, one after the other. Each start follows from the start before it (`last_reserved`), not from
the arrival of a step, so delays do not add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.pacing_state import ConcurrencySlot, PacingState
from chalicelib.model.stable_random import stable_fraction

#: Longest time that a worker sleeps until a start: SQS rounds delays up to full seconds, and steps come LEAD early.
HORIZON = timedelta(milliseconds=1_500)
#: Steps come back this much before their start, so that a step which SQS delivers a little late is still in time.
LEAD = timedelta(milliseconds=1_250)
#: Assumed duration of a send where only concurrency is limited. It spreads the reservations.
ASSUMED_SEND = timedelta(milliseconds=100)
#: A start that is later than this moves the next start of its slot, so that a pause is never cut short.
TOLERANCE = timedelta(milliseconds=250)
#: Shortest delay of SQS.
_SOONEST = timedelta(seconds=1)
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Permit:
    """Permission to start one send at `start`, in the concurrency slot with the index `slot`."""

    slot: int
    start: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """Come back at `moment`, a little before `start`. A step that brings `start` along keeps its place."""

    moment: datetime
    start: datetime


@dataclass(frozen=True, slots=True)
class PermitRequest:
    """The request of one batch. `lease` is the real-clock time until which its concurrency slots are its own."""

    batch: str
    count: int
    epoch: int
    now: datetime
    real_now: datetime
    lease: datetime
    #: Clock seconds per real second (1 in production). HORIZON and LEAD are real time, because SQS counts real seconds.
    speed: float = 1.0
    #: The start that each step has reserved before, if any.
    reserved: tuple[datetime | None, ...] = ()


@dataclass(frozen=True, slots=True)
class PermitGrant:
    """The new state, permits for the first steps of the batch, and reservations for the others."""

    state: PacingState
    permits: tuple[Permit, ...]
    reservations: tuple[Reservation, ...]


def interval(configuration: FlowConfiguration) -> timedelta:
    """Return the mean time between two starts of the flow; zero if the flow is not paced."""
    if configuration.lanes is None:
        return _NOTHING
    return (configuration.pause or ASSUMED_SEND) / configuration.lanes


def grant_permits(state: PacingState, request: PermitRequest, configuration: FlowConfiguration) -> PermitGrant:
    """Grant starts within the horizon and reserve starts for the other steps. The state keeps its `rev`."""
    state = _fit(state, request, configuration)
    slots = list(state.slots)
    permits: list[Permit] = []
    while len(permits) < request.count:
        index = _next_slot(slots, request)
        if index is None:
            break
        start = max(request.now, slots[index].next_start or request.now)
        permits.append(Permit(index, start))
        slots[index] = _after(slots[index], start, request, configuration, len(permits))
    earliest = min(max(request.now, slot.next_start or request.now) for slot in slots)
    last_reserved, reservations = _reserve(state.last_reserved, earliest, request, configuration, len(permits))
    return PermitGrant(replace(state, slots=tuple(slots), last_reserved=last_reserved), tuple(permits), reservations)


def release_permits(
    state: PacingState, batch: str, late_starts: Mapping[int, datetime], configuration: FlowConfiguration
) -> PacingState:
    """Return the state without the batch's holds. `late_starts`: slot index → a start that was behind its permit."""
    slots = tuple(
        replace(
            slot,
            held_by=None,
            held_until=None,
            next_start=_postponed(slot, late_starts.get(index), configuration),
        )
        if slot.held_by == batch
        else slot
        for index, slot in enumerate(state.slots)
    )
    return replace(state, slots=slots)


def _fit(state: PacingState, request: PermitRequest, configuration: FlowConfiguration) -> PacingState:
    """Return the state with as many slots as configured. After a resume, drop reservations and use the new pauses."""
    count = configuration.lanes or 1
    # New slots start one step after the other, so that their starts stay evenly spread.
    step = interval(configuration) if configuration.pause else _NOTHING
    slots = state.slots[:count] + tuple(
        ConcurrencySlot(request.now + step * index) for index in range(len(state.slots), count)
    )
    if state.epoch == request.epoch:
        return replace(state, slots=slots)
    latest = request.now + configuration.pause + configuration.salt
    resumed = tuple(
        replace(slot, next_start=min(slot.next_start, latest) if slot.next_start else None) for slot in slots
    )
    return replace(state, slots=resumed, last_reserved=None, epoch=request.epoch)


def _next_slot(slots: list[ConcurrencySlot], request: PermitRequest) -> int | None:
    usable = [index for index, slot in enumerate(slots) if slot.is_usable(request.batch, request.real_now)]
    if not usable:
        return None
    best = min(usable, key=lambda index: max(request.now, slots[index].next_start or request.now))
    wait = (slots[best].next_start or request.now) - request.now
    return best if wait <= HORIZON * request.speed else None


def _after(
    slot: ConcurrencySlot, start: datetime, request: PermitRequest, configuration: FlowConfiguration, number: int
) -> ConcurrencySlot:
    """Return the slot after a start. Jitter comes in pairs that add up to zero, so that the mean pause is exact."""
    jitter, opposite = slot.next_jitter, _NOTHING
    if configuration.salt and not jitter:
        jitter = configuration.salt * (2 * stable_fraction(request.batch, number) - 1)
        opposite = -jitter
    return ConcurrencySlot(start + configuration.pause + jitter, request.batch, request.lease, opposite)


def _reserve(
    last_reserved: datetime | None,
    earliest: datetime,
    request: PermitRequest,
    configuration: FlowConfiguration,
    granted: int,
) -> tuple[datetime | None, tuple[Reservation, ...]]:
    """Reserve a start for each step that got no permit. A step whose reserved start is still ahead keeps it.

    Jitter moves the starts of a slot by up to `salt`, so the steps come back that much earlier.
    """
    step, lead = interval(configuration), LEAD * request.speed
    soonest = request.now + _SOONEST * request.speed
    reservations: list[Reservation] = []
    for start in (request.reserved + (None,) * request.count)[granted : request.count]:
        if start and start > request.now:
            reservations.append(Reservation(max(soonest, max(start, earliest) - lead), start))
            continue
        last_reserved = max(earliest, last_reserved + step) if last_reserved else earliest
        reservations.append(Reservation(max(soonest, last_reserved - lead - configuration.salt), last_reserved))
    return last_reserved, tuple(reservations)


def _postponed(slot: ConcurrencySlot, start: datetime | None, configuration: FlowConfiguration) -> datetime | None:
    if start is None or slot.next_start is None:
        return slot.next_start
    return max(slot.next_start, start + configuration.pause)
