"""Contract of `ports.StepQueue`, `JobQueue` and `ReceiptQueue`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from pydantic import TypeAdapter

from chalicelib.aws.queues import SqsJobQueue, SqsReceiptQueue, SqsStepQueue
from chalicelib.errors import RetryLater, TooLarge
from chalicelib.model.delivery_report import MAX_QUEUED_BYTES
from chalicelib.model.queue_messages import EnqueuePending, Job, Recount, ScheduledStep, StepMessage
from chalicelib.ports import JobQueue, ReceiptQueue, StepQueue
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.memory.clock import START
from tests.memory.queues import MemoryJobQueue, MemoryReceiptQueue, MemoryStepQueue

SECOND = timedelta(seconds=1)


@dataclass
class Steps:
    """A queue, and a function that receives the visible step messages at a time."""

    queue: StepQueue
    received: Callable[[datetime], list[StepMessage]]


@pytest.fixture(params=PLACES)
def steps(request: pytest.FixtureRequest) -> Iterator[Steps]:
    if request.param == "memory":
        queue = MemoryStepQueue()
        yield Steps(queue, queue.take)
        return
    aws = ProvisionedAws(request.param)
    client, url = aws.client("sqs"), aws.names["STEP_QUEUE_URL"]
    with time_machine.travel(START, tick=False) as time_travel:

        def received(moment: datetime) -> list[StepMessage]:
            time_travel.move_to(moment, tick=False)
            return [StepMessage.model_validate_json(body) for body in bodies(client, url)]

        yield Steps(SqsStepQueue(client, url), received)


@dataclass
class Jobs:
    queue: JobQueue
    received: Callable[[datetime], list[Job]]


@pytest.fixture(params=PLACES)
def jobs(request: pytest.FixtureRequest) -> Iterator[Jobs]:
    if request.param == "memory":
        memory = MemoryJobQueue()

        def due(moment: datetime) -> list[Job]:
            ready = [entry for entry in memory.entries if START + entry[1] <= moment]
            memory.entries = [entry for entry in memory.entries if entry not in ready]
            return [job for job, _ in ready]

        yield Jobs(memory, due)
        return
    aws = ProvisionedAws(request.param)
    client, url = aws.client("sqs"), aws.names["JOB_QUEUE_URL"]
    with time_machine.travel(START, tick=False) as time_travel:

        def received(moment: datetime) -> list[Job]:
            time_travel.move_to(moment, tick=False)
            return [TypeAdapter(Job).validate_json(body) for body in bodies(client, url)]

        yield Jobs(SqsJobQueue(client, url), received)


def bodies(client: Any, url: str) -> list[str]:
    found: list[str] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
        for message in messages:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def step_message(number: int) -> StepMessage:
    return StepMessage(workspace="w1", flow="f1", execution_id=f"c{number}", seq=number)


def after(span: timedelta, number: int = 1) -> ScheduledStep:
    return ScheduledStep(step_message(number), START + span)


def test_hints_that_are_due_arrive_at_once_each_once(steps: Steps) -> None:
    steps.queue.send([after(-SECOND * number, number) for number in range(23)], START)
    assert sorted(each.seq for each in steps.received(START)) == list(range(23))
    assert steps.received(START + timedelta(hours=1)) == []


def test_no_hints_are_no_message(steps: Steps) -> None:
    steps.queue.send([], START)
    assert steps.received(START) == []


@pytest.mark.parametrize("milliseconds", [1, 999, 1_000, 1_001, 61_500, 899_001, 900_000])
def test_a_hint_comes_never_early_and_less_than_a_second_late(steps: Steps, milliseconds: int) -> None:
    due = timedelta(milliseconds=milliseconds)
    steps.queue.send([after(due)], START)
    assert steps.received(START + due - timedelta(milliseconds=1)) == []
    assert steps.received(START + due + timedelta(milliseconds=999)) == [step_message(1)]


def test_a_hint_for_more_than_fifteen_minutes_is_refused_with_all_that_came_along(steps: Steps) -> None:
    with pytest.raises(ValueError, match="900"):
        steps.queue.send([after(SECOND, 1), after(timedelta(seconds=900, microseconds=1), 2)], START)
    assert steps.received(START + timedelta(hours=1)) == []


def test_jobs_come_back_as_they_were_sent(jobs: Jobs) -> None:
    dispatch = EnqueuePending(workspace="w1", flow="f1", epoch=2, shard=1, stride=4, cursor="c9")
    recount = Recount(workspace="w1", flow="f1", pass_id="p1")
    jobs.queue.send(dispatch)
    jobs.queue.send(recount, timedelta(milliseconds=1_500))
    assert jobs.received(START) == [dispatch]
    assert jobs.received(START + timedelta(milliseconds=1_499)) == []
    assert jobs.received(START + 2 * SECOND) == [recount]


def test_a_job_for_more_than_fifteen_minutes_is_refused(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="900"):
        jobs.queue.send(Recount(workspace="w1", flow="f1", pass_id="p1"), timedelta(seconds=901))


def test_a_faster_clock_makes_shorter_delays() -> None:
    aws = ProvisionedAws("ministack")
    client, url = aws.client("sqs"), aws.names["STEP_QUEUE_URL"]
    with time_machine.travel(START, tick=False) as time_travel:
        SqsStepQueue(client, url, speed=60).send([after(timedelta(hours=5), 1), after(timedelta(minutes=1), 2)], START)
        time_travel.move_to(START + SECOND, tick=False)
        assert [StepMessage.model_validate_json(body).seq for body in bodies(client, url)] == [2]
        time_travel.move_to(START + timedelta(minutes=5), tick=False)
        assert [StepMessage.model_validate_json(body).seq for body in bodies(client, url)] == [1]


class PartialSqsClient:
    """An SQS client that accepts only one entry of a batch, `times` times."""

    def __init__(self, times: int) -> None:
        self.times, self.asked = times, 0
        self.sent: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # boto's
        self.times -= 1
        received = Entries[:1] if self.times >= 0 else Entries
        self.sent += [entry["MessageBody"] for entry in received]
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries if entry not in received]}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803  # boto's
        self.asked += 1
        return {"Attributes": {"ApproximateNumberOfMessages": "17"}}


def test_what_sqs_does_not_take_is_sent_again_alone() -> None:
    client = PartialSqsClient(2)
    pauses: list[float] = []
    queue = SqsStepQueue(client, "url", sleep=pauses.append)  # type: ignore[arg-type]  # the calls that it makes
    queue.send([after(SECOND, number) for number in range(5)], START)
    assert sorted(client.sent) == sorted(step_message(number).model_dump_json() for number in range(5))
    assert len(pauses) == 2


def test_what_sqs_keeps_refusing_is_given_back() -> None:
    queue = SqsStepQueue(PartialSqsClient(9), "url", sleep=[].append)  # type: ignore[arg-type]  # the calls that it makes
    with pytest.raises(RetryLater):
        queue.send([after(SECOND, number) for number in range(9)], START)


def test_the_backlog_is_asked_for_at_most_once_a_second() -> None:
    client, moments = PartialSqsClient(0), iter([10.0, 10.9, 11.0])
    queue = SqsStepQueue(client, "url", monotonic=lambda: next(moments))  # type: ignore[arg-type]  # the calls it makes
    assert [queue.backlog() for _ in range(3)] == [17, 17, 17]
    assert client.asked == 2


@pytest.mark.parametrize("place_name", ["ministack", "moto"])
def test_the_backlog_counts_what_is_visible_only(place_name: str) -> None:
    aws = ProvisionedAws(place_name)
    queue = SqsStepQueue(aws.client("sqs"), aws.names["STEP_QUEUE_URL"])
    queue.send([after(SECOND * 0, 1), after(SECOND * 0, 2), after(SECOND * 600, 3)], START)
    assert queue.backlog() == 2


# ---- receipts ----


@dataclass
class Receipts:
    queue: ReceiptQueue
    received: Callable[[datetime], list[str]]


@pytest.fixture(params=PLACES)
def receipts(request: pytest.FixtureRequest) -> Iterator[Receipts]:
    if request.param == "memory":
        memory = MemoryReceiptQueue()

        def due(moment: datetime) -> list[str]:
            ready = [entry for entry in memory.entries if START + entry[1] <= moment]
            memory.entries = [entry for entry in memory.entries if entry not in ready]
            return [body for body, _ in ready]

        yield Receipts(memory, due)
        return
    aws = ProvisionedAws(request.param)
    client, url = aws.client("sqs"), aws.names["RECEIPT_QUEUE_URL"]
    with time_machine.travel(START, tick=False) as time_travel:

        def received(moment: datetime) -> list[str]:
            time_travel.move_to(moment, tick=False)
            return bodies(client, url)

        yield Receipts(SqsReceiptQueue(client, url), received)


def test_a_callback_arrives_as_it_is_and_when_it_may(receipts: Receipts) -> None:
    receipts.queue.send('{"a": "ü\\"\\u0000"}')
    receipts.queue.send("later", 5 * SECOND)
    assert receipts.received(START) == ['{"a": "ü\\"\\u0000"}']
    assert receipts.received(START + 4 * SECOND) == []
    assert receipts.received(START + 5 * SECOND) == ["later"]


def test_what_no_message_of_the_queue_can_hold_is_refused(receipts: Receipts) -> None:
    with pytest.raises(TooLarge, match="1,048,576"):
        receipts.queue.send("ü" * (MAX_QUEUED_BYTES // 2 + 1))
    assert receipts.received(START) == []
