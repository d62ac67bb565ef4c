"""A walk through the graph: it follows what takes no time, and stops where the world is needed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.core.steps.interpreter import advance
from chalicelib.core.steps.traversal import SkipMessage, Traversal, TraversalContext, depends_on_contact
from chalicelib.errors import GiveUp
from chalicelib.model.contact import Contact
from chalicelib.model.execution import (
    DeliveryReceipt,
    Engagement,
    Execution,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
)
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.steps import Continue, Step, StepContext
from tests.builders import NOW, build_contact, build_execution, build_graph, build_message, end, send, wait

LATER = NOW + timedelta(days=2)


class Desk:
    """Prepares a message for every SEND that is not skipped, and records the nodes."""

    def __init__(self, skips: Mapping[str, str] | None = None) -> None:
        self.skips = skips or {}
        self.asked: list[str] = []

    def __call__(self, node: Node, row: Execution, contact: Contact) -> OutgoingMessage | SkipMessage:
        self.asked.append(node.id)
        reason = self.skips.get(node.id)
        return SkipMessage(reason, "mail") if reason else build_message(node.id)


class Passing(Step):
    """A step that takes no time."""

    def decide(self, context: StepContext) -> Continue:
        return Continue()


def _walk(row: Execution, graph: Graph, desk: Desk | None = None, now: datetime = NOW) -> Traversal:
    return advance(row, TraversalContext(graph, "camp", build_contact(), desk or Desk(), now))


def _with(row: Execution, node: str, outcome: MessageOutcome) -> Execution:
    return row.with_result(NodeId(node), MessageResult(outcome, NOW, channel="mail"))


def test_a_send_stops_the_traversal_with_its_message() -> None:
    moved = _walk(build_execution(), build_graph(send("hello"), end()))
    assert moved.message == build_message()
    assert (moved.execution.node, moved.execution.status, moved.execution.path) == (
        "hello",
        ExecutionStatus.PENDING,
        (),
    )


def test_a_message_decided_before_is_not_considered_again() -> None:
    desk = Desk()
    moved = _walk(
        _with(build_execution(), "hello", MessageOutcome.SENT), build_graph(send("hello"), send("again")), desk
    )
    assert desk.asked == ["again"]
    assert moved.message == build_message("again")


@pytest.mark.parametrize("outcome", [MessageOutcome.SENT, MessageOutcome.UNKNOWN])
def test_a_decided_message_completes_the_execution(outcome: MessageOutcome) -> None:
    moved = _walk(_with(build_execution(), "hello", outcome), build_graph(send("hello"), end()))
    assert (moved.message, moved.execution.status, moved.execution.reason) == (None, ExecutionStatus.COMPLETED, None)


def test_an_execution_without_an_end_completes_after_its_last_step() -> None:
    moved = _walk(_with(build_execution(), "hello", MessageOutcome.SENT), build_graph(send("hello")))
    assert (moved.execution.status, moved.execution.node) == (ExecutionStatus.COMPLETED, None)


def test_an_execution_with_nothing_to_send_is_completed() -> None:
    assert _walk(build_execution("done"), build_graph(end())).execution.status is ExecutionStatus.COMPLETED


def test_a_wait_starts_when_the_execution_arrives() -> None:
    row = replace(build_execution("pause"), entered=NOW - timedelta(hours=1))
    moved = _walk(row, build_graph(wait("pause"), end())).execution
    assert (moved.waiting, moved.due, moved.node) == (True, LATER - timedelta(hours=1), "pause")
    assert (moved.status, moved.path) == (ExecutionStatus.PENDING, ())


def test_an_execution_that_wakes_leaves_the_wait_and_continues() -> None:
    row = replace(build_execution("pause"), waiting=True, due=LATER)
    moved = _walk(row, build_graph(wait("pause"), send("hello")), now=LATER)
    assert moved.message == build_message()
    assert (moved.execution.waiting, moved.execution.due, moved.execution.node) == (False, None, "hello")
    assert [(visit.node, visit.exit, visit.entered, visit.left) for visit in moved.execution.path] == [
        ("pause", "next", NOW, LATER)
    ]
    assert moved.execution.entered == LATER


def test_an_execution_that_wakes_from_the_last_step_is_over() -> None:
    row = replace(build_execution("pause"), waiting=True, due=LATER)
    moved = _walk(row, build_graph(wait("pause")), now=LATER).execution
    assert (moved.status, moved.due) == (ExecutionStatus.COMPLETED, None)


def test_a_wait_that_follows_a_wait_starts_when_the_first_ends() -> None:
    row = replace(build_execution("one"), waiting=True, due=LATER)
    moved = _walk(row, build_graph(wait("one"), wait("two", "PT1H"), end()), now=LATER).execution
    assert (moved.node, moved.due) == ("two", LATER + timedelta(hours=1))


def test_a_skip_is_recorded_and_the_execution_continues() -> None:
    moved = _walk(build_execution(), build_graph(send("hello"), send("again")), Desk({"hello": "no_address"}))
    assert moved.message == build_message("again")
    skipped = moved.execution.results[NodeId("hello")]
    assert (skipped.outcome, skipped.reason, skipped.channel) == (MessageOutcome.SKIPPED, "no_address", "mail")
    assert (skipped.attempts, skipped.cost) == (0, 0)
    assert [visit.node for visit in moved.execution.path] == ["hello"]


def test_a_message_that_may_be_out_is_not_skipped_afterwards() -> None:
    row = build_execution(answer_lost=True, attempt=1, paid=7)
    moved = _walk(row, build_graph(send("hello"), end()), Desk({"hello": "unsubscribed"})).execution
    result = moved.results[NodeId("hello")]
    assert (result.outcome, result.reason, result.channel) == (MessageOutcome.UNKNOWN, "answer_lost", "mail")
    assert (result.attempts, result.cost, moved.paid, moved.answer_lost) == (1, 7, 0, False)
    assert depends_on_contact(row, moved)


def test_a_receipt_ends_the_tries_of_a_lost_answer_and_they_are_paid_for() -> None:
    told = {NodeId("hello"): DeliveryReceipt(Engagement.DELIVERED, NOW)}
    row = build_execution(answer_lost=True, attempt=1, paid=7, receipts=told)
    moved = _walk(row, build_graph(send("hello"), end()))
    assert (moved.message, moved.execution.results[NodeId("hello")].cost) == (None, 7)
    assert not depends_on_contact(row, moved.execution)


def test_a_contact_for_whom_every_send_was_skipped_is_skipped() -> None:
    desk = Desk({"hello": "no_address", "again": "no_consent"})
    moved = _walk(build_execution(), build_graph(send("hello"), send("again"), end()), desk).execution
    assert (moved.status, moved.reason) == (ExecutionStatus.SKIPPED, "no_address")


def test_one_sent_message_among_skipped_ones_completes_the_execution() -> None:
    row = _with(build_execution("again"), "hello", MessageOutcome.SENT)
    moved = _walk(row, build_graph(send("hello"), send("again"), end()), Desk({"again": "no_address"})).execution
    assert (moved.status, moved.reason) == (ExecutionStatus.COMPLETED, None)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(MessageOutcome.SENT, ExecutionStatus.COMPLETED), (MessageOutcome.SKIPPED, ExecutionStatus.SKIPPED)],
)
def test_a_retry_of_one_node_stops_after_it(outcome: MessageOutcome, status: ExecutionStatus) -> None:
    desk = Desk()
    row = replace(_with(build_execution(), "hello", outcome), single_node=True)
    moved = _walk(row, build_graph(send("hello"), send("again"), end()), desk)
    assert (moved.message, moved.execution.status, desk.asked) == (None, status, [])


def test_a_retry_of_one_node_sends_it_first() -> None:
    assert _walk(build_execution(single_node=True), build_graph(send("hello"), end())).message == build_message()


def test_attempts_and_faults_are_counted_per_node() -> None:
    row = replace(_with(build_execution(), "hello", MessageOutcome.SENT), attempt=2, faults=3)
    moved = _walk(row, build_graph(send("hello"), send("again"))).execution
    assert (moved.node, moved.attempt, moved.faults) == ("again", 0, 0)


@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize("node", ["gone", None])
def test_an_execution_that_fits_no_graph_is_given_up(node: str | None, waiting: bool) -> None:
    with pytest.raises(GiveUp) as fault:
        _walk(build_execution(node, waiting=waiting, due=NOW if waiting else None), build_graph(send("hello")))
    assert fault.value.code == "node_not_found"


@pytest.mark.parametrize("status", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.SKIPPED])
def test_an_execution_that_is_over_does_not_change(status: ExecutionStatus) -> None:
    desk = Desk()
    moved = _walk(build_execution(status=status), build_graph(send("hello")), desk)
    assert (moved.message, moved.execution.status, desk.asked) == (None, status, [])


def test_a_graph_with_a_loop_raises_and_does_not_run_forever() -> None:
    name = NodeId("round")
    looped = Graph(name, {name: Node(name, Passing(id=name, type="PASSING"), {"next": name}, "steps[0]")})
    with pytest.raises(GiveUp) as fault:
        _walk(build_execution(name), looped)
    assert fault.value.code == "walk_too_long"


@pytest.mark.parametrize("sends", [1, 49, 50, 199])
def test_however_many_sends_are_not_for_a_contact_it_is_skipped_and_not_failed(sends: int) -> None:
    names = [f"s{number}" for number in range(sends)]
    moved = _walk(
        build_execution("s0"), build_graph(*map(send, names), end()), Desk(dict.fromkeys(names, "no_address"))
    )
    assert (moved.message, moved.execution.status) == (None, ExecutionStatus.SKIPPED)


def test_the_execution_passed_in_is_not_changed() -> None:
    row = build_execution("pause")
    _walk(row, build_graph(wait("pause"), end()))
    assert row == build_execution("pause")
