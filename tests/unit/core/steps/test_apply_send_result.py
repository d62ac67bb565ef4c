"""The effect of every send result on an execution: no message is sent twice, no contact is given up early."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.steps.apply_send_result import SHORTEST_WAIT, SendAttempt, apply_send_result, expire_claim
from chalicelib.model.execution import Claim, Execution, ExecutionStatus, MessageOutcome, mark_unknown
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.ids import AttemptId, NodeId
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)
from tests.builders import NOW, build_execution

HELLO = NodeId("hello")
CONFIGURATION = FlowConfiguration(max_retries=2, retry_delay_ms=5_000)
SENT_AT = NOW + timedelta(seconds=3)
EVERY = [
    Accepted("p-1"),
    Throttled(),
    ChannelFailure("no_account"),
    TransientFailure("busy"),
    PermanentFailure("gone"),
    RecipientSuppressed("bounced"),
    OutcomeUnknown("timeout"),
]


def _claimed(**fields: object) -> Execution:
    claim = Claim(AttemptId("a"), NOW + timedelta(minutes=2), HELLO)
    return build_execution(status=ExecutionStatus.PROCESSING, claim=claim, **fields)


def _attempt(resend: bool = False, configuration: FlowConfiguration = CONFIGURATION) -> SendAttempt:
    return SendAttempt(HELLO, "mail", configuration, resend, SENT_AT, cost=7)


def _settle(verdict: SendResult, attempt: int = 0, resend: bool = False) -> Execution:
    return apply_send_result(_claimed(attempt=attempt), _attempt(resend), verdict)


@pytest.mark.parametrize("verdict", EVERY)
def test_every_result_clears_the_claim_and_keeps_the_execution_at_its_node(verdict: SendResult) -> None:
    row = _settle(verdict)
    assert (row.claim, row.node, row.updated) == (None, HELLO, SENT_AT)
    assert row.status is not ExecutionStatus.PROCESSING


@pytest.mark.parametrize("verdict", EVERY)
def test_a_message_is_either_decided_or_due_again(verdict: SendResult) -> None:
    row = _settle(verdict)
    assert (HELLO in row.results) is (row.due is None)


def test_accepted_is_sent_with_what_it_cost() -> None:
    row = _settle(Accepted("p-1"), attempt=1)
    result = row.results[HELLO]
    assert (result.outcome, result.provider_id, result.channel) == (MessageOutcome.SENT, "p-1", "mail")
    assert (result.cost, result.at, result.attempts) == (7, SENT_AT, 2)
    assert (row.status, row.attempt, row.due) == (ExecutionStatus.PENDING, 0, None)


@pytest.mark.parametrize(
    ("after", "wait"), [(None, SHORTEST_WAIT), (timedelta(0), SHORTEST_WAIT), (timedelta(seconds=40),) * 2]
)
def test_throttled_waits_without_using_an_attempt(after: timedelta | None, wait: timedelta) -> None:
    row = _settle(Throttled(after), attempt=2)
    assert (row.attempt, row.due, row.is_open) == (2, SENT_AT + wait, True)


@pytest.mark.parametrize(("delay", "wait"), [(5_000, timedelta(seconds=5)), (0, SHORTEST_WAIT)])
def test_a_channel_failure_never_fails_the_contact(delay: int, wait: timedelta) -> None:
    attempt = _attempt(configuration=FlowConfiguration(max_retries=0, retry_delay_ms=delay))
    row = apply_send_result(_claimed(attempt=0), attempt, ChannelFailure("no_account"))
    assert (row.attempt, row.due, row.is_open) == (0, SENT_AT + wait, True)


@pytest.mark.parametrize(
    ("after", "seconds"), [(None, 5), (timedelta(seconds=2), 5), (timedelta(seconds=60), 60), (timedelta(0), 5)]
)
def test_a_retry_waits_the_longer_of_its_delay_and_what_the_provider_asks(
    after: timedelta | None, seconds: int
) -> None:
    row = _settle(TransientFailure("busy", after))
    assert (row.attempt, row.due, row.results) == (1, SENT_AT + timedelta(seconds=seconds), {})


@pytest.mark.parametrize("most", [0, 1, 3, 20])
def test_after_the_last_retry_the_execution_fails(most: int) -> None:
    attempt = _attempt(configuration=FlowConfiguration(max_retries=most))
    row, tries = _claimed(), 0
    while row.is_open:
        row, tries = apply_send_result(row, attempt, TransientFailure("busy")), tries + 1
    assert tries == most + 1
    assert (row.status, row.reason) == (ExecutionStatus.FAILED, "busy")
    assert (row.results[HELLO].attempts, row.results[HELLO].outcome) == (tries, MessageOutcome.FAILED)
    assert (row.due, row.claim, row.results[HELLO].cost) == (None, None, 0)


def test_waiting_for_a_throttle_does_not_make_the_retries_more() -> None:
    row, attempt = _claimed(), _attempt()
    for verdict in [TransientFailure("busy"), Throttled(), ChannelFailure("x"), TransientFailure("busy"), Throttled()]:
        row = apply_send_result(row, attempt, verdict)
    assert (row.attempt, row.is_open) == (2, True)
    assert apply_send_result(row, attempt, TransientFailure("busy")).status is ExecutionStatus.FAILED


def test_a_permanent_refusal_fails_at_once() -> None:
    row = _settle(PermanentFailure("gone"))
    assert (row.status, row.reason, row.results[HELLO].attempts) == (ExecutionStatus.FAILED, "gone", 1)
    assert row.results[HELLO].cost == 0


def test_a_suppressed_address_skips_the_message_and_the_execution_continues() -> None:
    row = _settle(RecipientSuppressed("bounced"))
    assert (row.results[HELLO].outcome, row.is_open, row.results[HELLO].cost) == (MessageOutcome.SKIPPED, True, 0)
    assert "bounced" in (row.results[HELLO].reason or "")


def test_a_lost_response_is_unknown_and_charged() -> None:
    row = _settle(OutcomeUnknown("timeout"))
    result = row.results[HELLO]
    assert (result.outcome, result.reason, result.cost, row.is_open) == (MessageOutcome.UNKNOWN, "timeout", 7, True)


def test_a_lost_response_is_sent_again_only_where_allowed_and_within_the_retry_limit() -> None:
    row, tries = _claimed(), 0
    while HELLO not in row.results:
        row, tries = apply_send_result(row, _attempt(resend=True), OutcomeUnknown("timeout")), tries + 1
        assert row.is_open
    assert tries == 3
    assert (row.results[HELLO].outcome, row.results[HELLO].attempts) == (MessageOutcome.UNKNOWN, 3)


@pytest.mark.parametrize("resend", [False, True])
def test_a_worker_that_died_leaves_its_message_unknown_unless_it_may_be_sent_again(resend: bool) -> None:
    row = expire_claim(_claimed(), _attempt(resend))
    assert (row.claim, row.is_open, row.updated) == (None, True, SENT_AT)
    assert (HELLO in row.results) is not resend
    assert row.attempt == (1 if resend else 0)


def test_a_message_left_behind_by_a_cancelled_flow_is_unknown() -> None:
    row = mark_unknown(_claimed(attempt=1), HELLO, SENT_AT)
    result = row.results[HELLO]
    assert (row.claim, result.outcome, result.attempts, result.at) == (None, MessageOutcome.UNKNOWN, 2, SENT_AT)


@pytest.mark.parametrize(
    ("verdict", "cost"), [(Accepted("p"), 9), (OutcomeUnknown("timeout"), 9), (PermanentFailure("gone"), 0)]
)
def test_tries_of_one_message_cost_as_much_as_the_dearest_of_them(verdict: SendResult, cost: int) -> None:
    again = apply_send_result(_claimed(), replace(_attempt(resend=True), cost=9), OutcomeUnknown("timeout"))
    assert (again.answer_lost, again.paid, again.held) == (True, 9, 9)
    row = apply_send_result(again, _attempt(), verdict)
    assert (row.results[HELLO].cost, row.paid) == (cost, 0)


@pytest.mark.parametrize("verdict", [Throttled(), ChannelFailure("no_account"), TransientFailure("busy")])
def test_a_try_that_came_to_nothing_leaves_what_was_paid_before_it(verdict: SendResult) -> None:
    again = apply_send_result(_claimed(), _attempt(resend=True), OutcomeUnknown("timeout"))
    assert apply_send_result(again, _attempt(resend=True), verdict).paid == again.paid == 7


def test_what_a_worker_that_died_had_paid_is_kept_for_the_next_try() -> None:
    row = _claimed()
    assert row.claim
    row = replace(row, claim=replace(row.claim, cost=5))
    again = expire_claim(row, replace(_attempt(resend=True), cost=0))
    assert (again.paid, mark_unknown(row, HELLO, SENT_AT).results[HELLO].cost) == (5, 5)
    assert mark_unknown(replace(row, paid=8), HELLO, SENT_AT).results[HELLO].cost == 8


def test_an_execution_that_ends_after_a_lost_response_keeps_its_message_as_unknown() -> None:
    again = apply_send_result(_claimed(), _attempt(resend=True), OutcomeUnknown("timeout"))
    over = again.finished(ExecutionStatus.SKIPPED, "cancelled", SENT_AT)
    result = over.results[HELLO]
    assert (result.outcome, result.reason, result.cost) == (MessageOutcome.UNKNOWN, "answer_lost", 7)
    assert (result.attempts, over.paid, over.status) == (1, 0, ExecutionStatus.SKIPPED)
    assert _claimed().finished(ExecutionStatus.SKIPPED, "cancelled", SENT_AT).results == {}


def test_earlier_results_are_kept() -> None:
    first = _settle(Accepted("p-1"))
    second = apply_send_result(
        replace(first, node=NodeId("again")), replace(_attempt(), node=NodeId("again")), PermanentFailure("gone")
    )
    assert set(second.results) == {"hello", "again"}
    assert second.results[HELLO].provider_id == "p-1"
