"""The transitions of a flow: what they set, and that they check the status table."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.model.flow import ENDED, ENGINE_MOVES, OPERATOR_MOVES, Flow, FlowStatus, IllegalTransition
from chalicelib.model.pause import PauseCause, PausedBy, PauseReason
from tests.builders import NOW, build_flow

S = FlowStatus
LATER = NOW + timedelta(hours=1)
OPERATOR = PauseReason(PauseCause.OPERATOR)
CIRCUIT = PausedBy(channel_uid="mail", cause="timeout", since=NOW, retry_after=None)

#: Each transition with the statuses from which the table allows it.
TRANSITIONS: dict[str, tuple[Callable[[Flow], Flow], set[FlowStatus]]] = {
    "started": (lambda flow: flow.started(LATER, is_prepaid=False), {S.DRAFT}),
    "running": (lambda flow: flow.running(), {S.QUEUED}),
    "paused": (lambda flow: flow.paused(OPERATOR, LATER), {S.QUEUED, S.RUNNING}),
    "resumed": (lambda flow: flow.resumed(LATER), {S.PAUSED, S.ERROR}),
    "returned_to_draft": (lambda flow: flow.returned_to_draft(LATER), {S.QUEUED}),
    "cancelled": (lambda flow: flow.cancelled(LATER), {S.DRAFT, S.QUEUED, S.RUNNING, S.PAUSED, S.ERROR}),
    "stopped": (lambda flow: flow.stopped("no version", LATER), {S.RUNNING}),
    "completed": (lambda flow: flow.completed(S.COMPLETED, LATER), {S.RUNNING}),
}


@pytest.mark.parametrize("status", FlowStatus)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_transition_obeys_the_status_table(name: str, status: FlowStatus) -> None:
    transition, allowed = TRANSITIONS[name]
    flow = build_flow(status, chunks=1)
    if status not in allowed:
        with pytest.raises(IllegalTransition):
            transition(flow)
        return
    after = transition(flow)
    assert after.status in {*OPERATOR_MOVES.get(status, ()), *ENGINE_MOVES.get(status, ())}
    assert Flow.model_validate_json(after.model_dump_json()) == after


def test_a_start_queues_a_flow_with_an_audience() -> None:
    started = build_flow(S.DRAFT, chunks=2, epoch=3).started(LATER, is_prepaid=True)
    assert (started.status, started.prepaid, started.epoch) == (S.QUEUED, True, 4)
    assert (started.queued_at, started.started_at, started.expanded_at) == (LATER, None, None)


def test_a_start_without_an_audience_runs_at_once() -> None:
    started = build_flow(S.DRAFT).started(LATER, is_prepaid=False)
    assert (started.status, started.queued_at, started.started_at, started.expanded_at) == (S.RUNNING, *(3 * [LATER]))


def test_a_pause_is_cleared_by_a_resume_in_a_new_epoch() -> None:
    reason = PauseReason(PauseCause.CHANNEL_CIRCUIT, "mail")
    paused = build_flow(epoch=1, started_at=NOW, expanded_at=NOW, look_again_at=NOW).paused(reason, LATER, CIRCUIT)
    assert (paused.status, paused.pause, paused.paused_by, paused.paused_at) == (S.PAUSED, reason, CIRCUIT, LATER)
    resumed = paused.resumed(LATER)
    assert (resumed.status, resumed.pause, resumed.paused_by, resumed.paused_at) == (S.RUNNING, None, None, None)
    assert (resumed.epoch, resumed.started_at, resumed.seen_at, resumed.look_again_at) == (2, NOW, LATER, None)


def test_a_flow_that_was_paused_while_it_was_enrolled_is_queued_again() -> None:
    resumed = build_flow(S.PAUSED, chunks=2).resumed(LATER)
    assert (resumed.status, resumed.started_at) == (S.QUEUED, None)


def test_a_flow_that_was_enrolled_while_it_was_paused_starts_when_it_is_resumed() -> None:
    resumed = build_flow(S.PAUSED, chunks=1, expanded_at=NOW).resumed(LATER)
    assert (resumed.status, resumed.started_at) == (S.RUNNING, LATER)


def test_a_flow_that_has_run_cannot_return_to_draft() -> None:
    with pytest.raises(IllegalTransition):
        build_flow(S.QUEUED, started_at=NOW).returned_to_draft(LATER)


def test_a_cancelled_flow_forgets_why_it_was_paused_and_is_settled_later() -> None:
    cancelled = build_flow(S.PAUSED, pause=OPERATOR, paused_by=CIRCUIT).cancelled(LATER)
    assert (cancelled.pause, cancelled.paused_by, cancelled.end_reason) == (None, None, "cancelled")
    assert (cancelled.completed_at, cancelled.settled_at, cancelled.is_under_way) == (LATER, None, True)
    assert not cancelled.settled(LATER).is_under_way


def test_a_stopped_flow_says_what_is_wrong() -> None:
    stopped = build_flow().stopped("Campaign 01C has no version 3", LATER)
    assert (stopped.status, stopped.pause_cause, stopped.paused_at) == (S.ERROR, PauseCause.FAULT, LATER)
    assert stopped.pause_reason == "Campaign 01C has no version 3"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (S.COMPLETED, None),
        (S.PARTIAL_COMPLETED, "some_not_completed"),
        (S.FAILED, "all_failed"),
        (S.TIMEOUT, "all_timed_out"),
    ],
)
def test_a_flow_ends_with_a_reason_unless_it_completed(status: FlowStatus, reason: str | None) -> None:
    ended = build_flow().completed(status, LATER)
    assert (ended.status, ended.end_reason, ended.completed_at) == (status, reason, LATER)
    assert ended.status in ENDED


def test_the_last_enrolled_chunk_starts_a_queued_flow() -> None:
    first = build_flow(S.QUEUED, chunks=2, contact_count=5).with_enrolled_chunk(1, 3, NOW)
    assert (first.status, first.expanded_chunks, first.contact_count, first.is_expanded) == (S.QUEUED, (1,), 8, False)
    last = first.with_enrolled_chunk(0, 0, LATER)
    assert (last.status, last.expanded_chunks, last.expanded_at, last.started_at) == (S.RUNNING, (0, 1), LATER, LATER)


def test_the_last_enrolled_chunk_leaves_a_paused_flow_paused() -> None:
    after = build_flow(S.PAUSED, chunks=1).with_enrolled_chunk(0, 0, LATER)
    assert (after.status, after.expanded_at, after.started_at) == (S.PAUSED, LATER, None)


def test_the_first_start_fixes_the_number_of_shards() -> None:
    grown = {epoch: build_flow(S.QUEUED, epoch=epoch).with_more_contacts(7, 1, 2, 9, LATER) for epoch in (0, 1)}
    assert {epoch: flow.shards for epoch, flow in grown.items()} == {0: 9, 1: 1}
    assert (grown[0].contact_count, grown[0].chunks, grown[0].duplicates_removed) == (7, 1, 2)
