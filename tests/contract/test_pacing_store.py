"""What every adapter of the port Gates promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.aws.pacing_state import DynamoPacing
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import ConcurrencySlot, PacingState
from chalicelib.ports import PacingStore
from tests.contract.emulators import PLACES, Place
from tests.memory.clock import START
from tests.memory.pacing_store import MemoryPacing

W, F = WorkspaceUid("w1"), FlowUid("f1")


@pytest.fixture(params=PLACES)
def gates(request: pytest.FixtureRequest) -> PacingStore:
    if request.param == "memory":
        return MemoryPacing()
    place = Place(request.param)
    return DynamoPacing(place.client("dynamodb"), place.names["CATALOG_TABLE"])


def gate_of(batch: str) -> PacingState:
    moment = START + timedelta(microseconds=123_457)
    lanes = (
        ConcurrencySlot(moment, batch, START, timedelta(microseconds=-250_001)),
        ConcurrencySlot(),
        ConcurrencySlot(next_jitter=timedelta(seconds=1)),
    )
    return PacingState(lanes, last_reserved=moment, epoch=3)


def test_a_flow_without_a_gate_has_a_fresh_one(gates: PacingStore) -> None:
    assert gates.get(W, F) == PacingState()


def test_what_is_saved_comes_back_to_the_microsecond_under_the_next_rev(gates: PacingStore) -> None:
    assert gates.save(W, F, gate_of("b1"))
    assert gates.get(W, F) == replace(gate_of("b1"), rev=1)
    assert gates.save(W, F, PacingState(rev=1))
    assert gates.get(W, F) == PacingState(rev=2)


@pytest.mark.parametrize("rev", [0, 1])
def test_of_two_writers_one_wins(gates: PacingStore, rev: int) -> None:
    if rev:
        gates.save(W, F, PacingState())
    assert gates.save(W, F, replace(gate_of("b1"), rev=rev))
    assert not gates.save(W, F, replace(gate_of("b2"), rev=rev))
    assert gates.get(W, F) == replace(gate_of("b1"), rev=rev + 1)


def test_the_same_save_again_counts_as_saved(gates: PacingStore) -> None:
    assert gates.save(W, F, gate_of("b1"))
    assert gates.save(W, F, gate_of("b1"))
    assert gates.get(W, F).rev == 1


def test_flows_do_not_share_a_gate(gates: PacingStore) -> None:
    gates.save(W, F, gate_of("b1"))
    assert gates.get(W, FlowUid("f2")) == PacingState()
    assert gates.get(WorkspaceUid("w2"), F) == PacingState()


def test_a_gate_that_was_removed_with_its_flow_is_not_made_again(gates: PacingStore) -> None:
    assert not gates.save(W, F, replace(gate_of("b1"), rev=4))
    assert gates.get(W, F) == PacingState()
