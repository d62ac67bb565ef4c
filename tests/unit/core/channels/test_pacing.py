"""Pacing: limits of concurrent messages, pauses that are exact on average, and permits of dead workers."""

import heapq
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.channels.pacing import HORIZON, PermitRequest, grant_permits, interval, release_permits
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.pacing_state import ConcurrencySlot, PacingState
from tests.builders import NOW

SECOND = timedelta(seconds=1)
LEASE = timedelta(minutes=2)


def _paced(pause: int, salt: int = 0, lanes: int | None = None) -> FlowConfiguration:
    return FlowConfiguration(
        pause_between_contacts_ms=pause, pause_between_contacts_salt_ms=salt, max_concurrent_messages=lanes
    )


def _ask(batch: str, count: int = 1, now: datetime = NOW, epoch: int = 0, speed: float = 1.0) -> PermitRequest:
    return PermitRequest(batch, count, epoch, now, now, now + LEASE, speed)


def _held(gate: PacingState, real_now: datetime) -> int:
    return sum(
        lane.held_by is not None and lane.held_until is not None and lane.held_until > real_now for lane in gate.slots
    )


CONFIGURATIONS = st.integers(0, 5_000).flatmap(
    lambda pause: st.builds(
        _paced, st.just(pause), st.integers(0, pause), st.integers(1, 10) | (st.none() if pause else st.nothing())
    )
)
#: What happens next: how long nothing does, then who asks for how many, or which holder leaves, late or not, or dies.
EVENTS = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from(["ask", "ask", "leave", "late", "die"]), st.integers(1, 10)),
    max_size=40,
)


@dataclass
class Street:
    """Batches that request permits of one pacing state."""

    configuration: FlowConfiguration
    gate: PacingState = field(default_factory=PacingState)
    now: datetime = NOW
    holders: list[str] = field(default_factory=list)
    slots: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    asked: int = 0
    was_late: bool = False

    def ask(self, count: int) -> None:
        self.asked += 1
        batch = f"batch-{self.asked}"
        dead_or_free = {
            index
            for index in range(self.configuration.lanes or 1)
            if index >= len(self.gate.slots) or self.gate.slots[index].is_usable(batch, self.now)
        }
        admission = grant_permits(self.gate, _ask(batch, count, self.now), self.configuration)
        assert {permit.slot for permit in admission.permits} <= dead_or_free
        assert all(self.now <= permit.start <= self.now + HORIZON for permit in admission.permits)
        assert len(admission.permits) + len(admission.reservations) == count
        moments = [promise.moment for promise in admission.reservations]
        assert all(moment >= self.now + SECOND for moment in moments)
        assert moments == sorted(moments)
        self.gate = admission.state
        if admission.permits:
            self.holders.append(batch)
        for permit in admission.permits:
            self.slots[permit.slot].append((permit.start, self.now))

    def go(self, how: str, late: timedelta) -> None:
        """The oldest holder leaves, leaves after starting late, or dies."""
        batch = self.holders.pop(0)
        if how == "die":
            return
        self.was_late = self.was_late or how == "late"
        held = [index for index, lane in enumerate(self.gate.slots) if lane.held_by == batch]
        starts = {index: self.now + late for index in held if how == "late"}
        self.gate = release_permits(self.gate, batch, starts, self.configuration)


@given(CONFIGURATIONS, EVENTS)
def test_no_more_lanes_than_configured_are_ever_held_and_no_pause_is_cut_short(
    configuration: FlowConfiguration, events: list[tuple[int, str, int]]
) -> None:
    street = Street(configuration)
    for idle, what, number in events:
        street.now += timedelta(milliseconds=idle)
        if what == "ask":
            street.ask(number)
        elif street.holders:
            street.go(what, number * SECOND)
        assert _held(street.gate, street.now) <= (configuration.lanes or 1)
        assert len(street.gate.slots) in {0, configuration.lanes or 1}
    for slots in street.slots.values():
        for (earlier, _), (later, asked) in pairwise(slots):
            assert later - earlier >= configuration.pause - configuration.salt
            assert later - earlier <= configuration.pause + configuration.salt or later == asked or street.was_late


@given(st.integers(1, 5_000), st.floats(0, 1), st.integers(1, 10))
def test_salted_pauses_differ_and_come_to_the_base_in_pairs(pause: int, share: float, lanes: int) -> None:
    configuration = _paced(pause, int(pause * share), lanes)
    gate, slots = PacingState(), defaultdict(list)
    for number in range(12 * lanes):
        now = max(NOW, min(lane.next_start or NOW for lane in gate.slots) if gate.slots else NOW)
        admission = grant_permits(gate, _ask(f"batch-{number}", 1, now), configuration)
        (permit,) = admission.permits
        slots[permit.slot].append(permit.start)
        gate = release_permits(admission.state, f"batch-{number}", {}, configuration)
    for starts in slots.values():
        assert all((third - first) == 2 * configuration.pause for first, third in pairwise(starts[::2]))


def test_jitter_differs_between_batches_and_repeats_for_the_same_batch() -> None:
    configuration = _paced(2_000, 500)
    frees = {
        grant_permits(PacingState(), _ask(f"batch-{number}"), configuration).state.slots[0].next_start
        for number in range(50)
    }
    assert len(frees) > 40
    again = grant_permits(PacingState(), _ask("batch-7"), configuration)
    assert again == grant_permits(PacingState(), _ask("batch-7"), configuration)


def _gaps_of_a_crowd(configuration: FlowConfiguration, crowd: int) -> list[float]:
    """Return the seconds between starts by lane when all ask in sequence and SQS delays by whole seconds."""
    gate, starts, asked = PacingState(), defaultdict(list), 0
    heap: list[tuple[datetime, int, str, datetime | None]] = [(NOW, number, "", None) for number in range(crowd)]
    while heap:
        now, number, leaving, promised = heapq.heappop(heap)
        if leaving:
            gate = release_permits(gate, leaving, {}, configuration)
            continue
        asked += 1
        asking = replace(_ask(f"batch-{asked}", 1, now), reserved=(promised,))
        admission = grant_permits(gate, asking, configuration)
        gate = admission.state
        for permit in admission.permits:
            starts[permit.slot].append(permit.start)
            heapq.heappush(heap, (permit.start + timedelta(milliseconds=50), number, f"batch-{asked}", None))
        for promise in admission.reservations:
            heapq.heappush(heap, (now + SECOND * ceil((promise.moment - now) / SECOND), number, "", promise.start))
    assert sum(map(len, starts.values())) == crowd
    assert asked < 3 * crowd, "steps return to the queue instead of waiting"
    return [(later - earlier) / SECOND for lane in starts.values() for earlier, later in pairwise(lane)]


@pytest.mark.parametrize(
    "configuration",
    [_paced(3_000), _paced(2_000, 500, 1), _paced(2_000, 500, 2), _paced(1_000, 300, 3), _paced(10_000, 1_000, 10)],
    ids=lambda paced: f"{paced.pause_between_contacts_ms}±{paced.pause_between_contacts_salt_ms} on {paced.lanes}",
)
def test_waiting_executions_are_sent_one_after_the_other_at_the_configured_pace(
    configuration: FlowConfiguration,
) -> None:
    gaps = _gaps_of_a_crowd(configuration, crowd=100)
    assert min(gaps) >= (configuration.pause - configuration.salt) / SECOND
    assert max(gaps) <= (configuration.pause + configuration.salt) / SECOND
    assert mean(gaps) == pytest.approx(configuration.pause / SECOND, rel=0.02)


def test_waiting_step_messages_get_start_times_a_pause_apart() -> None:
    configuration = _paced(10_000, 0, 2)
    come_back = [
        promise.moment for promise in grant_permits(PacingState(), _ask("batch", 10), configuration).reservations
    ]
    assert len(come_back) == 9
    assert {later - earlier for earlier, later in pairwise(come_back)} == {timedelta(seconds=5)}


def test_a_batch_reserves_several_starts_when_the_pause_is_short() -> None:
    turns = grant_permits(PacingState(), _ask("batch", 10), _paced(500)).permits
    assert [(permit.start - NOW) / SECOND for permit in turns] == [0, 0.5, 1, 1.5]


def test_a_held_lane_admits_no_batch_until_its_lease_ends() -> None:
    configuration = _paced(0, 0, 1)
    gate = grant_permits(PacingState(), _ask("first"), configuration).state
    soon = grant_permits(gate, _ask("second", now=NOW + LEASE - SECOND), configuration)
    assert (soon.permits, len(soon.reservations)) == ((), 1)
    late = grant_permits(gate, _ask("second", now=NOW + LEASE), configuration)
    assert len(late.permits) == 1
    assert late.state.slots[0].held_by == "second"


def test_leases_run_by_the_real_clock_however_fast_the_engines_is() -> None:
    configuration = _paced(0, 0, 1)
    gate = grant_permits(PacingState(), _ask("first"), configuration).state
    hurried = replace(_ask("second", now=NOW + 10 * LEASE), real_now=NOW + SECOND, speed=60.0)
    assert grant_permits(gate, hurried, configuration).permits == ()


def test_a_late_batch_does_not_free_the_lane_of_another_batch() -> None:
    configuration = _paced(0, 0, 1)
    gate = grant_permits(PacingState(), _ask("first"), configuration).state
    gate = grant_permits(gate, _ask("second", now=NOW + LEASE), configuration).state
    assert release_permits(gate, "first", {0: NOW}, configuration) == gate


def test_a_late_start_pushes_its_lane_and_an_early_one_does_not() -> None:
    configuration = _paced(2_000, 0, 2)
    gate = grant_permits(PacingState(), _ask("batch", 2), configuration).state
    late = release_permits(gate, "batch", {0: NOW + SECOND}, configuration)
    assert [lane.next_start for lane in late.slots] == [NOW + 3 * SECOND, NOW + 3 * SECOND]
    assert [lane.held_by for lane in late.slots] == [None, None]
    assert release_permits(gate, "batch", {0: NOW - SECOND}, configuration).slots[0].next_start == NOW + 2 * SECOND


def test_a_resume_discards_reservations_from_before_the_pause() -> None:
    configuration = _paced(2_000, 500, 2)
    far = NOW + timedelta(hours=3)
    gate = PacingState((ConcurrencySlot(next_start=far), ConcurrencySlot(next_start=far)), last_reserved=far, epoch=1)
    resumed = grant_permits(gate, _ask("batch", 3, epoch=2), configuration)
    assert resumed.state.epoch == 2
    assert max(promise.moment for promise in resumed.reservations) <= NOW + 2 * timedelta(milliseconds=2_500)
    unchanged = grant_permits(gate, _ask("batch", 3, epoch=1), configuration)
    assert min(promise.moment for promise in unchanged.reservations) > NOW + timedelta(hours=2)


def test_a_resume_does_not_cut_a_pause_short() -> None:
    configuration = _paced(10_000)
    gate = release_permits(grant_permits(PacingState(), _ask("first"), configuration).state, "first", {}, configuration)
    resumed = grant_permits(gate, _ask("second", now=NOW + SECOND, epoch=1), configuration)
    assert resumed.permits == ()


def test_a_resume_does_not_free_a_lane_on_which_a_send_is_under_way() -> None:
    configuration = _paced(0, 0, 1)
    gate = grant_permits(PacingState(), _ask("first"), configuration).state
    assert grant_permits(gate, _ask("second", now=NOW + SECOND, epoch=1), configuration).permits == ()


@pytest.mark.parametrize(("speed", "turns"), [(1.0, 0), (30.0, 0), (60.0, 1)])
def test_a_faster_clock_reserves_further_ahead(speed: float, turns: int) -> None:
    gate = PacingState((ConcurrencySlot(next_start=NOW + timedelta(seconds=60)),))
    admission = grant_permits(gate, _ask("batch", speed=speed), _paced(60_000))
    assert len(admission.permits) == turns
    assert all(promise.moment >= NOW + SECOND * speed for promise in admission.reservations)


@pytest.mark.parametrize(
    ("configuration", "seconds"),
    [
        (FlowConfiguration(), 0),
        (_paced(2_000), 2),
        (_paced(2_000, 500, 4), 0.5),
        (_paced(0, 0, 4), 0.025),
    ],
)
def test_the_flow_goes_as_fast_as_its_lanes_together(configuration: FlowConfiguration, seconds: float) -> None:
    assert interval(configuration) / SECOND == seconds
