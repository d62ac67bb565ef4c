"""Races between two jobs, or between a job and an operator, at the worst moment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows import create_flow
from chalicelib.core.steps import delivery
from chalicelib.core.steps.traversal import Traversal, TraversalContext
from chalicelib.errors import RetryLater
from chalicelib.model.base import StoredDocument
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.message import Accepted, OutcomeUnknown, OutgoingMessage, PermanentFailure, SendResult
from chalicelib.model.queue_messages import EnqueuePending, Job, ScheduledStep
from chalicelib.ports import Counters, Page
from chalicelib.wiring import use_ports
from tests.integration.conftest import WORKERS
from tests.integration.harness import PatchedPort, Story, story

__all__ = ["story"]

END = {"id": "end", "type": "END"}
TWO_DAYS = {"id": "w", "type": "WAIT", "for": "P2D"}
#: Longer than the visibility timeout of the queue, so that a failed message is delivered again.
REDELIVERY = timedelta(seconds=181)


@contextmanager
def _replaced_ports(story: Story, **ports: Any) -> Iterator[None]:
    """Make the workers and the API use these ports within the block. `story.world.ports` stays the same."""
    use_ports(replace(story.world.ports, **ports))
    try:
        yield
    finally:
        _undo(story)


def _undo(story: Story) -> None:
    use_ports(story.world.ports)


def _fail_to_send(*_: Any) -> None:
    raise RetryLater("the queue is unavailable")


def _stored(story: Story, flow: str) -> Flow:
    return story.world.ports.catalog.get(story.api.workspace, Flow, flow)


def _open_rows(story: Story, flow: str) -> list[Execution]:
    page = story.world.ports.executions.page(story.api.workspace, FlowUid(flow), 0, 100, None)
    assert page.items
    return [row for row in page.items if row.is_open]


def _counters(story: Story, flow: str) -> Counters:
    epoch = _stored(story, flow).stats_epoch
    return story.world.ports.statistics.read(story.api.workspace, FlowUid(flow), epoch)


def _retry(story: Story, flow: str, of: str) -> str:
    return str(story.expect(201, story.api.post(f"/flows/{flow}/retry", {"of": of}))["uid"])


def _recount(story: Story, flow: str) -> Any:
    return story.expect(200, story.api.post(f"/flows/{flow}/recount"))


def _calls_by_node(story: Story) -> Counter[str]:
    return Counter(str(sent.message.uid.node) for sent in story.provider.calls)


def _answer_at(story: Story, node: str, result: SendResult) -> None:
    """Set the provider's result for the messages of one node. All others are accepted."""
    story.provider.answer = lambda message: result if message.uid.node == node else Accepted("id")


def test_a_retry_of_a_retry_does_not_send_the_later_steps_again(story: Story) -> None:
    story.set_up(contacts=1)
    _answer_at(story, "a", OutcomeUnknown("read_timeout"))
    flow = story.start(story.campaign(story.send("a"), story.send("b"), END))
    story.advance(timedelta(seconds=10))
    _answer_at(story, "a", PermanentFailure("rejected"))
    first = _retry(story, flow, "unknown")
    story.advance(timedelta(seconds=10))
    assert story.flow(first)["status"] == "failed"
    _answer_at(story, "a", Accepted("id"))
    second = _retry(story, first, "failed")
    story.advance(timedelta(seconds=10))
    assert story.flow(second)["status"] == "completed"
    assert _calls_by_node(story) == {"a": 3, "b": 1}


def test_a_retry_of_a_message_that_cannot_be_rendered_does_not_repeat_the_previous_one(story: Story) -> None:
    story.set_up(contacts=1)
    unrenderable = story.add_template("{{ first_name | round }}")
    flow = story.start(story.campaign(story.send("a"), story.send("b", templateUid=unrenderable), END))
    story.advance(timedelta(seconds=10))
    assert story.execution(flow, story.contacts[0])["status"] == "failed"
    _retry(story, flow, "failed")
    story.advance(timedelta(seconds=10))
    assert _calls_by_node(story) == {"a": 1}


def test_a_flow_set_to_draft_during_enrolment_can_be_started_again(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(story.short_campaign())
    executions = story.world.ports.executions

    def enrol_many(rows: Sequence[Execution], shards: int) -> tuple[ExecutionKey, ...]:
        enrolled = executions.enrol_many(rows, shards)
        if _stored(story, flow).status is FlowStatus.QUEUED:
            story.set_status(flow, "draft")
        return enrolled

    with _replaced_ports(story, executions=PatchedPort(executions, enrol_many=enrol_many)):
        story.run()
    assert _stored(story, flow).status is FlowStatus.DRAFT
    story.set_status(flow, "queued")
    story.advance(timedelta(hours=2), step=timedelta(seconds=30))
    assert story.flow(flow)["status"] == "completed"
    assert sorted(story.provider.times_called().values()) == [1, 1]


def test_a_pause_and_resume_during_enrolment_enqueues_the_flow_once(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create_flow, "CHUNK", 2)
    story.set_up(contacts=12)
    flow = story.start(story.campaign(TWO_DAYS, story.send("a"), END))
    story.set_status(flow, "paused")
    story.set_status(flow, "running")
    jobs = story.world.ports.jobs
    begun: list[Job] = []

    def send(job: Job, *delay: timedelta) -> None:
        if isinstance(job, EnqueuePending):
            begun.append(job)
        jobs.send(job, *delay)

    with _replaced_ports(story, jobs=PatchedPort(jobs, send=send)):
        story.advance(timedelta(seconds=30))
    assert len(begun) == 1


def test_a_cancel_is_completed_although_executions_move_during_its_recount(story: Story) -> None:
    story.set_up(contacts=30)
    flow = story.start(story.short_campaign())
    ports, workspace = story.world.ports, story.api.workspace
    happened: list[str] = []

    def page(*wanted: Any) -> Page[Execution]:
        found = ports.executions.page(*wanted)
        if happened == ["cancelled"]:  # Another batch ends during the recount of the cancel.
            happened.append("left")
            epoch = _stored(story, flow).stats_epoch
            ports.statistics.record_batch(workspace, FlowUid(flow), epoch, "other batch", {"completed": 0, "sent": 1})
        return found

    def cancel_once(_: OutgoingMessage) -> None:
        if not happened:
            story.set_status(flow, "cancelled")
            happened.append("cancelled")
            story.world.deliver_all("JobQueue")  # The recount of the cancel, while this batch holds its claims.

    story.provider.during = cancel_once
    with _replaced_ports(story, executions=PatchedPort(ports.executions, page=page)):
        story.run()
    assert happened == ["cancelled", "left"]
    story.advance(timedelta(days=2), step=timedelta(minutes=10))
    assert not _open_rows(story, flow)
    assert _counters(story, flow).get("skipped")
    assert _stored(story, flow).settled_at


def test_the_watchdog_completes_a_cancel_whose_job_was_lost(story: Story) -> None:
    story.set_up(contacts=3)
    flow = story.start(story.campaign(story.send("a"), TWO_DAYS, story.send("b"), END))
    story.advance(timedelta(seconds=5))
    with _replaced_ports(story, jobs=PatchedPort(story.world.ports.jobs, send=_fail_to_send)):
        story.api.patch(f"/flows/{flow}", {"status": "cancelled"})
    assert story.set_status(flow, "cancelled")["status"] == "cancelled"
    story.advance(timedelta(days=3), step=timedelta(minutes=10))
    assert not _open_rows(story, flow)
    assert _stored(story, flow).settled_at
    assert _calls_by_node(story) == {"a": 3}


def test_a_stored_flow_is_returned_although_its_job_cannot_be_sent(story: Story) -> None:
    story.set_up(contacts=1)
    campaign = story.short_campaign()
    with _replaced_ports(story, jobs=PatchedPort(story.world.ports.jobs, send=_fail_to_send)):
        story.start(campaign)  # After a 503 the caller would start a second flow.
    story.advance(timedelta(minutes=10), step=timedelta(seconds=10))
    assert len(story.provider.calls) == 1


def test_a_recount_during_enrolment_does_not_end_the_flow(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(story.short_campaign())
    executions = story.world.ports.executions
    enrolled: list[int] = []

    def page(*wanted: Any) -> Page[Execution]:
        found = executions.page(*wanted)
        if not enrolled:
            _undo(story)
            enrolled.append(story.world.deliver_all("JobQueue"))
        return found

    with _replaced_ports(story, executions=PatchedPort(executions, page=page)):
        _recount(story, flow)
    assert enrolled == [1]
    story.advance(timedelta(minutes=1))
    assert len(story.provider.calls) == 2
    assert story.flow(flow)["status"] == "completed"


def test_an_overtaken_recount_does_not_change_the_final_statistics(story: Story) -> None:
    story.set_up(contacts=3)
    flow = story.start(story.short_campaign(), status="draft")
    story.set_status(flow, "running")
    story.world.drain("JobQueue")
    statistics = story.world.ports.statistics
    overtaken: list[FlowStatus] = []

    def replace_counters(*counted: Any) -> bool:
        if not overtaken:
            _undo(story)
            story.run()
            overtaken.append(_stored(story, flow).status)
        return statistics.replace(*counted)

    with _replaced_ports(story, statistics=PatchedPort(statistics, replace=replace_counters)):
        story.api.post(f"/flows/{flow}/recount")
    assert overtaken == [FlowStatus.COMPLETED]
    story.advance(timedelta(minutes=30), step=timedelta(seconds=30))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["completed"]) == ("completed", 3)


def test_a_redriven_dead_letter_continues_at_the_current_node(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORKERS, "StepDeadLetters", "chalicelib.workers.dead_letters.redrive_steps")
    story.set_up(contacts=1)
    story.start(story.campaign(story.send("a"), story.send("b"), END))
    story.world.drain("JobQueue")
    with _replaced_ports(story, steps=PatchedPort(story.world.ports.steps, send=_fail_to_send)):
        for _ in range(6):
            story.world.deliver_all("StepQueue")
            story.time_travel.shift(REDELIVERY)
    assert _calls_by_node(story) == {"a": 1}
    # The clock rule does not run from here on, because the watchdog would repair the execution too.
    assert story.world.deliver_all("StepDeadLetters") == 1
    story.time_travel.shift(timedelta(minutes=5, seconds=1))
    story.world.drain("StepQueue")
    assert [sent.message.uid.node for sent in story.provider.calls] == ["a", "b"]


def test_recounts_of_a_paced_flow_add_few_step_messages_and_do_not_slow_it(story: Story) -> None:
    story.set_up(contacts=60)
    flow = story.start(story.short_campaign(), configuration={"pauseBetweenContactsMs": 10_000})
    story.advance(timedelta(minutes=4), step=timedelta(milliseconds=500))
    steps = story.world.ports.steps
    enqueued: list[ScheduledStep] = []

    def send(messages: Sequence[ScheduledStep], *now: Any) -> None:
        enqueued.extend(messages)
        steps.send(messages, *now)

    with _replaced_ports(story, steps=PatchedPort(steps, send=send)):
        for _ in range(3):
            _recount(story, flow)
        story.advance(timedelta(minutes=7), step=timedelta(milliseconds=500))
    assert len(story.provider.calls) == 60
    assert len(enqueued) < 200


def test_a_code_error_after_a_send_does_not_affect_the_rest_of_the_batch(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.set_up(contacts=5)
    victim = story.contacts[2]
    advance = delivery.advance

    def fail_for_victim(row: Execution, context: TraversalContext) -> Traversal:
        if row.key.contact == victim:
            raise KeyError("a fault of the code")
        return advance(row, context)

    monkeypatch.setattr(delivery, "advance", fail_for_victim)
    flow = story.start(story.short_campaign())
    story.advance(timedelta(minutes=15), step=timedelta(seconds=10))
    stats = story.flow(flow)["stats"]
    assert stats["unknown"] <= 1
    assert stats["sent"] >= 4
    assert sorted(story.provider.times_called().values()) == [1] * 5


def test_recounts_do_not_hide_sends_in_flight_from_a_pause(story: Story) -> None:
    story.set_up(contacts=3)
    flow = story.start(story.short_campaign())
    in_flight: list[int] = []

    def recount_and_pause_once(_: OutgoingMessage) -> None:
        if not in_flight:
            for _ in range(2):
                _recount(story, flow)
            in_flight.append(story.set_status(flow, "paused")["metadata"]["inFlight"])

    story.provider.during = recount_and_pause_once
    story.run()
    assert in_flight == [len(story.provider.calls)]


def test_a_flow_that_cannot_be_read_does_not_hide_the_others_from_the_watchdog(story: Story) -> None:
    story.set_up(contacts=2)
    campaign = story.campaign(story.send("a"), TWO_DAYS, story.send("b"), END)
    unreadable, other = story.start(campaign), story.start(campaign)
    story.run()
    catalog = story.world.ports.catalog
    read: list[str] = []

    def find(workspace: WorkspaceUid, kind: type[StoredDocument], uid: str) -> StoredDocument | None:
        read.append(uid)
        if kind is Flow and uid == unreadable:
            raise ValueError("unreadable")
        return catalog.find(workspace, kind, uid)

    with _replaced_ports(story, catalog=PatchedPort(catalog, find=find)), pytest.raises(ValueError, match="unreadable"):
        story.tick()
    assert {unreadable, other} <= set(read)
