"""An update under way: messages of the old version meet the new code, and messages of the new version the old."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.model.execution import ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import Job, StepMessage, build_step_message
from infra.local.lambda_runtime import Context, load_handler
from tests.integration.harness import Story, story

__all__ = ["story"]

#: What the first version wrote, message by message. A field that is added needs a default, or these fail.
OLD_STEP = '{"v":1,"w":"W","f":"F","c":"C","q":3}'
OLD_JOBS = (
    '{"kind":"expand","w":"W","f":"F","chunk":0,"offset":0}',
    '{"kind":"dispatch","w":"W","f":"F","epoch":1,"shard":0,"stride":1,"cursor":null,"heal":false}',
    '{"kind":"recount","w":"W","f":"F","pass_id":"P","shard":0,"movements":null}',
    '{"kind":"wake","bucket":"2026-03-02T09:00#1"}',
    '{"kind":"purge","w":"W","f":"F","shards":1}',
    '{"kind":"import","w":"W","uid":"I"}',
)


def _call(entry: str, bodies: Sequence[str]) -> set[str]:
    """Return the bodies that the worker returns to the queue."""
    records = [
        {"messageId": str(n), "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
        for n, body in enumerate(bodies)
    ]
    answer = load_handler(entry)({"Records": records}, Context(entry, 60))
    return {bodies[int(each["itemIdentifier"])] for each in answer["batchItemFailures"]}


def test_what_the_first_version_wrote_is_read() -> None:
    assert StepMessage.model_validate_json(OLD_STEP).seq == 3
    job: TypeAdapter[Job] = TypeAdapter(Job)
    assert [job.validate_json(text).kind for text in OLD_JOBS] == [json.loads(text)["kind"] for text in OLD_JOBS]


def test_messages_are_written_with_the_names_of_the_first_version() -> None:
    key = ExecutionKey(WorkspaceUid("W"), FlowUid("F"), ContactUid("C"))
    written = json.loads(build_step_message(key, 3).model_dump_json())
    assert written == {**json.loads(OLD_STEP), "p": None, "r": None, "revived": False}
    job: TypeAdapter[Job] = TypeAdapter(Job)
    for text in OLD_JOBS:
        old = {"passId" if name == "pass_id" else name: value for name, value in json.loads(text).items()}
        assert old.items() <= json.loads(job.validate_json(text).model_dump_json()).items()


def test_a_step_that_the_first_version_hinted_runs_on_this_one(story: Story) -> None:
    story.set_up(contacts=1)
    flow = story.start(story.campaign(story.send("a"), {"id": "e", "type": "END"}))
    while not (hints := _take(story, "StepQueue")):
        story.world.drain("JobQueue", rounds=5)
    now = StepMessage.model_validate_json(hints[0])
    old = json.dumps(
        {"v": 1, "w": now.workspace, "f": now.flow, "c": now.execution_id, "q": now.seq}, separators=(",", ":")
    )
    assert _call("chalicelib.workers.steps.run_steps", [old]) == set()
    assert len(story.provider.calls) == 1
    story.advance(timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"


@pytest.mark.parametrize("more", [{"v": 2}, {"urgent": True}])
@pytest.mark.parametrize(
    ("entry", "old"),
    [
        ("chalicelib.workers.steps.run_steps", OLD_STEP),
        ("chalicelib.workers.jobs.run_jobs", OLD_JOBS[-2]),
        ("chalicelib.workers.dead_letters.redrive_steps", OLD_STEP),
        ("chalicelib.workers.dead_letters.redrive_jobs", OLD_JOBS[-2]),
    ],
)
def test_a_message_of_a_later_version_is_given_back_with_its_reason_and_its_neighbours_are_not(
    story: Story, entry: str, old: str, more: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    new = json.dumps({**json.loads(old), **more})
    assert _call(entry, [new, old]) == {new}
    (line,) = [record for record in caplog.records if "unreadable" in record.message]
    (field,) = more
    assert field in vars(line)["reason"]


def test_a_step_that_only_a_later_version_reads_waits_for_it_among_the_dead_letters(story: Story) -> None:
    new = json.dumps({**json.loads(OLD_STEP), "v": 2})
    story.world.aws.client("sqs").send_message(QueueUrl=story.world.queues["StepQueue"], MessageBody=new)
    for _ in range(6):
        story.world.drain("StepQueue", rounds=50)
        story.time_travel.shift(timedelta(seconds=181))
    assert _take(story, "StepDeadLetters") == [new]


def test_an_execution_whose_hint_cannot_be_read_is_hinted_again_by_the_watchdog(story: Story) -> None:
    story.set_up(contacts=2)
    flow = story.start(story.campaign(story.send("a"), {"id": "e", "type": "END"}))
    while not _take(story, "StepQueue"):
        story.world.drain("JobQueue", rounds=5)
    story.advance(timedelta(minutes=30), timedelta(seconds=20))
    assert story.flow(flow)["status"] == "completed"
    assert len(story.provider.calls) == 2


def _take(story: Story, queue: str) -> list[str]:
    """Delete all visible messages and return their bodies."""
    sqs, url = story.world.aws.client("sqs"), story.world.queues[queue]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]
