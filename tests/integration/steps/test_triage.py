"""Triage of received steps: outdated reads of executions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId
from chalicelib.model.message import OutcomeUnknown, OutgoingMessage
from chalicelib.model.queue_messages import ScheduledStep, build_step_message
from tests.builders import wait
from tests.integration.consent_helpers import swap_ports
from tests.integration.harness import PatchedPort, Story, story

__all__ = ["story"]


def _one_round(story: Story) -> None:
    """The jobs that start a flow, then just one delivery of the steps that are there."""
    story.world.drain("JobQueue")
    story.world.deliver_all("StepQueue")


class TestAnOutdatedExecution:
    """The first look at a row may lag behind its last write."""

    @pytest.mark.parametrize("is_there", [False, True])
    def test_loses_nobody_and_doubles_nothing(self, story: Story, is_there: bool) -> None:
        story.set_up(contacts=2)
        executions = story.world.ports.executions
        flow = story.start(story.campaign(story.send("one"), wait("pause", "PT5S"), story.send("two")))
        first: dict[ExecutionKey, Execution] = {}

        def find_many(keys: Sequence[ExecutionKey], shards: int, strong: bool) -> Mapping[ExecutionKey, Execution]:
            found = executions.find_many(keys, shards, strong=True)
            for key, row in found.items():
                first.setdefault(key, row)
            return found if strong else {key: first[key] for key in keys if is_there}

        swap_ports(story, executions=PatchedPort(executions, find_many=find_many))
        story.advance(timedelta(seconds=30))
        assert story.flow(flow)["status"] == "completed"
        assert sorted(call.message.uid.node for call in story.provider.calls) == ["one", "one", "two", "two"]

    def test_is_read_again_only_then(self, story: Story) -> None:
        story.set_up(contacts=3)
        executions = story.world.ports.executions
        asked: list[bool] = []

        def find_many(keys: Sequence[ExecutionKey], shards: int, strong: bool) -> Mapping[ExecutionKey, Execution]:
            asked.append(strong)
            return executions.find_many(keys, shards, strong)

        flow = story.start(story.campaign(story.send("one"), wait("pause", "PT5S"), story.send("two")))
        swap_ports(story, executions=PatchedPort(executions, find_many=find_many))
        story.advance(timedelta(seconds=30))
        assert story.flow(flow)["status"] == "completed"
        assert asked == [False, False]

    def test_does_not_hide_the_claim_of_a_worker_that_died_after_it_had_sent(self, story: Story) -> None:
        story.set_up(contacts=1)
        executions = story.world.ports.executions
        flow = story.start(story.campaign(story.send("one")))
        story.world.drain("JobQueue")
        key = ExecutionKey(story.api.workspace, FlowUid(flow), ContactUid(story.contacts[0]))
        before = executions.find_many([key], 1, strong=True)

        class Killed(BaseException):
            """The end of the worker's process."""

        def die(_: OutgoingMessage) -> None:
            raise Killed

        story.provider.during = die
        with pytest.raises(Killed):
            story.world.deliver_all("StepQueue")
        story.provider.during = lambda _: None

        def find_many(keys: Sequence[ExecutionKey], shards: int, strong: bool) -> Mapping[ExecutionKey, Execution]:
            return executions.find_many(keys, shards, strong=True) if strong else before

        swap_ports(story, executions=PatchedPort(executions, find_many=find_many))
        # Longer than the lease. The step message is lost, and the watchdog enqueues the execution.
        story.world.aws.client("sqs").purge_queue(QueueUrl=story.world.queues["StepQueue"])
        story.time_travel.shift(timedelta(minutes=5))
        story.world.ports.steps.send([ScheduledStep(build_step_message(key, 0), story.now)], story.now)
        story.advance(timedelta(minutes=20), step=timedelta(seconds=10))
        assert len(story.provider.calls) == 1
        assert story.flow(flow)["stats"]["unknown"] == 1

    def test_does_not_hide_the_receipt_of_a_message_whose_answer_was_lost(self, story: Story) -> None:
        """It proves that the message is out: sending it again, as the channel allows, would be a double."""
        story.set_up(contacts=1)
        body = {"name": "Console", "type": "console", "lostAnswer": "resend"}
        story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))
        story.provider.answer = lambda _: OutcomeUnknown("read_timeout")
        executions = story.world.ports.executions
        flow = story.start(story.campaign(story.send("one")), configuration={"retryDelayMs": 5_000})
        _one_round(story)
        key = ExecutionKey(story.api.workspace, FlowUid(flow), ContactUid(story.contacts[0]))
        receipt = DeliveryReceipt(Engagement.DELIVERED, story.now)
        assert executions.put_receipt(key, 1, NodeId("one"), receipt)

        def find_many(keys: Sequence[ExecutionKey], shards: int, strong: bool) -> Mapping[ExecutionKey, Execution]:
            found = executions.find_many(keys, shards, strong=True)
            return found if strong else {key: replace(row, receipts={}) for key, row in found.items()}

        swap_ports(story, executions=PatchedPort(executions, find_many=find_many))
        story.advance(timedelta(seconds=30))
        assert (story.flow(flow)["status"], len(story.provider.calls)) == ("completed", 1)
