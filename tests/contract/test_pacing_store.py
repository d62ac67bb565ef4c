"""Contract of `ports.PacingStore`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.aws.pacing_state import DynamoPacing
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import ConcurrencySlot, PacingState
from chalicelib.ports import PacingStore
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.memory.clock import START
from tests.memory.pacing_store import MemoryPacing

W, F = WorkspaceUid("w1"), FlowUid("f1")


@pytest.fixture(params=PLACES)
def pacing(request: pytest.FixtureRequest) -> PacingStore:
    if request.param == "memory":
        return MemoryPacing()
    aws = ProvisionedAws(request.param)
    return DynamoPacing(aws.client("dynamodb"), aws.names["CATALOG_TABLE"])


def state_of(batch: str) -> PacingState:
    moment = START + timedelta(microseconds=123_457)
    lanes = (
        ConcurrencySlot(moment, batch, START, timedelta(microseconds=-250_001)),
        ConcurrencySlot(),
        ConcurrencySlot(next_jitter=timedelta(seconds=1)),
    )
    return PacingState(lanes, last_reserved=moment, epoch=3)


def test_a_flow_without_a_stored_state_has_an_initial_one(pacing: PacingStore) -> None:
    assert pacing.get(W, F) == PacingState()


def test_what_is_saved_comes_back_to_the_microsecond_under_the_next_rev(pacing: PacingStore) -> None:
    assert pacing.save(W, F, state_of("b1"))
    assert pacing.get(W, F) == replace(state_of("b1"), rev=1)
    assert pacing.save(W, F, PacingState(rev=1))
    assert pacing.get(W, F) == PacingState(rev=2)


@pytest.mark.parametrize("rev", [0, 1])
def test_of_two_writers_one_wins(pacing: PacingStore, rev: int) -> None:
    if rev:
        pacing.save(W, F, PacingState())
    assert pacing.save(W, F, replace(state_of("b1"), rev=rev))
    assert not pacing.save(W, F, replace(state_of("b2"), rev=rev))
    assert pacing.get(W, F) == replace(state_of("b1"), rev=rev + 1)


def test_the_same_save_again_counts_as_saved(pacing: PacingStore) -> None:
    assert pacing.save(W, F, state_of("b1"))
    assert pacing.save(W, F, state_of("b1"))
    assert pacing.get(W, F).rev == 1


def test_flows_do_not_share_a_state(pacing: PacingStore) -> None:
    pacing.save(W, F, state_of("b1"))
    assert pacing.get(W, FlowUid("f2")) == PacingState()
    assert pacing.get(WorkspaceUid("w2"), F) == PacingState()


def test_a_state_that_was_removed_with_its_flow_is_not_created_again(pacing: PacingStore) -> None:
    assert not pacing.save(W, F, replace(state_of("b1"), rev=4))
    assert pacing.get(W, F) == PacingState()
