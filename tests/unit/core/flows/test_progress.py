"""Statistics: differences add up to a recount, nothing counts twice, and a flow ends with the documented status."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.flows.progress import counters_of, difference, end_status, finished_count, outcome_of
from chalicelib.model.execution import (
    DeliveryReceipt,
    Engagement,
    Execution,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
    NodeVisit,
)
from chalicelib.model.ids import NodeId
from tests.builders import NOW, build_execution

HELLO = NodeId("hello")
NODES = st.sampled_from([NodeId("hello"), NodeId("again"), NodeId("pause")])
RESULTS = st.builds(
    MessageResult,
    outcome=st.sampled_from(MessageOutcome),
    at=st.just(NOW),
    attempts=st.integers(0, 4),
    cost=st.integers(0, 1_000),
    reason=st.sampled_from([None, "no_address"]),
)
RECEIPTS = st.builds(DeliveryReceipt, engagement=st.sampled_from(Engagement), at=st.just(NOW))
VISITS = st.builds(NodeVisit, node=NODES, exit=st.just("next"), entered=st.just(NOW), left=st.just(NOW))
EXECUTIONS = st.builds(
    build_execution,
    node=st.none() | NODES,
    status=st.sampled_from(ExecutionStatus),
    seq=st.integers(0, 9),
    attempt=st.integers(0, 4),
    reason=st.sampled_from([None, "gone"]),
    results=st.dictionaries(NODES, RESULTS),
    receipts=st.dictionaries(NODES, RECEIPTS),
    path=st.lists(VISITS, max_size=3).map(tuple),
)


def _sent(*engagements: Engagement, outcome: MessageOutcome = MessageOutcome.SENT, cost: int = 0) -> list[Execution]:
    """Return the execution before the first receipt and after each. A lower receipt changes nothing."""
    executions = [build_execution().with_result(HELLO, MessageResult(outcome, NOW, cost=cost))]
    for engagement in engagements:
        known = executions[-1].receipts.get(HELLO)
        receipt = DeliveryReceipt(engagement, NOW)
        is_higher = known is None or receipt.rank > known.rank
        receipts = {HELLO: receipt} if is_higher else executions[-1].receipts
        executions.append(replace(executions[-1], receipts=receipts))
    return executions


@given(EXECUTIONS, EXECUTIONS)
def test_a_difference_turns_the_counters_before_into_the_counters_after(before: Execution, after: Execution) -> None:
    counts = Counter(counters_of(before))
    counts.update(difference(before, after))
    assert +counts == counters_of(after)
    assert all(value >= 0 for value in counts.values())


@given(st.lists(EXECUTIONS, min_size=1, max_size=6))
def test_live_counters_equal_a_recount(executions: list[Execution]) -> None:
    live = Counter(counters_of(executions[0]))
    for before, after in pairwise(executions):
        live.update(difference(before, after))
    assert +live == counters_of(executions[-1])


@given(EXECUTIONS)
def test_an_execution_counts_once_and_statuses_sum_to_the_audience(execution: Execution) -> None:
    counts = counters_of(execution)
    assert counts["total"] == 1
    assert finished_count(counts) == (0 if execution.is_open else 1)
    assert all(value > 0 for value in counts.values())
    assert difference(execution, execution) == {}


@given(st.lists(st.sampled_from(Engagement), max_size=8))
def test_no_message_counts_twice_for_any_reports(reports: list[Engagement]) -> None:
    executions = _sent(*reports)
    live = Counter(counters_of(executions[0]))
    for before, after in pairwise(executions):
        live.update(difference(before, after))
    words = ["sent", "delivered", "opened", "clicked", "replied", "bounced", "timedOut", "undelivered"]
    assert all(live[word] in {0, 1} for word in words)
    assert all(live[f"node.hello.{word}"] == live[word] for word in words)
    assert live["delivered"] + live["bounced"] + live["timedOut"] + live["undelivered"] <= live["sent"] == 1


@pytest.mark.parametrize(
    ("reports", "reached"),
    [
        ([], set()),
        ([Engagement.SENT], set()),
        ([Engagement.DELIVERED], {"delivered"}),
        ([Engagement.OPENED], {"delivered", "opened"}),
        ([Engagement.CLICKED], {"delivered", "opened", "clicked"}),
        ([Engagement.DELIVERED, Engagement.CLICKED, Engagement.OPENED], {"delivered", "opened", "clicked"}),
        ([Engagement.REPLIED], {"delivered", "opened", "replied"}),
        ([Engagement.BOUNCED, Engagement.OPENED], {"bounced"}),
        ([Engagement.FAILED, Engagement.DELIVERED], {"undelivered"}),
        ([Engagement.TIMED_OUT], {"timedOut"}),
        ([Engagement.TIMED_OUT, Engagement.DELIVERED], {"delivered"}),
        ([Engagement.DELIVERED, Engagement.TIMED_OUT], {"delivered"}),
    ],
)
def test_a_message_counts_at_the_highest_reported_level(reports: list[Engagement], reached: set[str]) -> None:
    counts = counters_of(_sent(*reports)[-1])
    every = {"delivered", "opened", "clicked", "replied", "bounced", "timedOut", "undelivered"}
    assert {word for word in every if counts[word]} == reached
    assert counts["sent"] == 1


def test_a_receipt_turns_an_unknown_message_into_a_sent_one() -> None:
    before, after = _sent(Engagement.DELIVERED, outcome=MessageOutcome.UNKNOWN)
    assert (counters_of(before)["unknown"], counters_of(before)["sent"]) == (1, 0)
    assert (counters_of(after)["unknown"], counters_of(after)["sent"], counters_of(after)["delivered"]) == (0, 1, 1)


@pytest.mark.parametrize("outcome", [MessageOutcome.SKIPPED, MessageOutcome.FAILED])
def test_a_receipt_does_not_change_a_message_that_was_not_accepted(outcome: MessageOutcome) -> None:
    before, after = _sent(Engagement.DELIVERED, outcome=outcome)
    assert counters_of(before) == counters_of(after)
    assert outcome_of(after.results[HELLO], after.receipts[HELLO]) is outcome


@pytest.mark.parametrize(
    ("outcome", "spent"),
    [(MessageOutcome.SENT, 7), (MessageOutcome.UNKNOWN, 7), (MessageOutcome.SKIPPED, 0), (MessageOutcome.FAILED, 0)],
)
def test_only_messages_that_may_have_been_sent_are_charged(outcome: MessageOutcome, spent: int) -> None:
    (execution,) = _sent(outcome=outcome, cost=7)
    assert counters_of(execution)["spent"] == spent


def test_retries_are_counted_during_and_after_the_send() -> None:
    trying = build_execution(attempt=2)
    done = replace(trying, attempt=0).with_result(HELLO, MessageResult(MessageOutcome.SENT, NOW, attempts=3))
    assert (counters_of(trying)["retried"], counters_of(done)["retried"]) == (2, 2)
    assert "retried" not in difference(trying, done)


def test_a_node_counts_entered_present_and_left_contacts() -> None:
    visit = NodeVisit(HELLO, "next", NOW, NOW + timedelta(seconds=1))
    counts = counters_of(build_execution("pause", path=(visit,)))
    assert (counts["node.hello.entered"], counts["node.hello.left.next"], counts["node.hello.here"]) == (1, 1, 0)
    assert (counts["node.pause.entered"], counts["node.pause.here"]) == (1, 1)
    over = counters_of(build_execution("pause", status=ExecutionStatus.COMPLETED, path=(visit,)))
    assert (over["node.pause.entered"], over["node.pause.here"]) == (1, 0)


def test_reasons_are_counted_if_an_execution_has_one() -> None:
    counts = counters_of(build_execution(status=ExecutionStatus.FAILED, reason="gone"))
    assert counts["reason.failed.gone"] == 1
    assert not [
        name for name in counters_of(build_execution(status=ExecutionStatus.COMPLETED)) if name.startswith("reason")
    ]


@pytest.mark.parametrize(
    ("counters", "status"),
    [
        ({"total": 3, "completed": 3, "sent": 3}, "completed"),
        ({}, "completed"),
        ({"total": 0}, "completed"),
        ({"total": 2, "completed": 2}, "completed"),
        ({"total": 3, "completed": 2, "failed": 1, "sent": 2}, "partial_completed"),
        ({"total": 3, "completed": 2, "skipped": 1, "sent": 2}, "partial_completed"),
        ({"total": 3, "completed": 3, "sent": 3, "timedOut": 1}, "partial_completed"),
        ({"total": 3, "completed": 3, "sent": 2, "unknown": 1}, "partial_completed"),
        ({"total": 3, "completed": 3, "unknown": 3}, "partial_completed"),
        ({"total": 3, "failed": 3}, "failed"),
        ({"total": 3, "failed": 1, "skipped": 2}, "failed"),
        ({"total": 3, "failed": 3, "sent": 3}, "failed"),
        ({"total": 3, "completed": 3, "sent": 3, "timedOut": 3}, "timeout"),
        ({"total": 3, "completed": 1, "skipped": 2, "sent": 1, "timedOut": 1}, "timeout"),
        ({"total": 3, "skipped": 3}, "partial_completed"),
    ],
)
def test_a_flow_ends_with_the_documented_status(counters: dict[str, int], status: str) -> None:
    assert end_status(counters).value == status


def test_a_flow_with_one_unknown_message_has_not_timed_out() -> None:
    assert end_status({"total": 2, "completed": 2, "sent": 1, "timedOut": 1, "unknown": 1}).value == "partial_completed"
