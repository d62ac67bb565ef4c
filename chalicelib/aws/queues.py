"""SQS queues. Delays are whole seconds, rounded up, so that no message arrives before its time."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws._dynamodb import translate_errors
from chalicelib.aws.usage_meter import expect_event
from chalicelib.errors import RetryLater, TooLarge
from chalicelib.model.delivery_report import MAX_QUEUED_BYTES
from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import EventBatch, Job, ScheduledStep

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

#: SQS limit of one SendMessageBatch.
BATCH = 10
#: An event has at most about 5 KB, a message 256 KB.
EVENTS_A_MESSAGE = 25
#: SQS limit of DelaySeconds. Emulators accept more, AWS does not.
LONGEST_DELAY_SECONDS = 900
#: Seconds before the second, third and fourth attempt, multiplied by a random factor from 0.5 to 1.5.
PAUSES = (0.05, 0.1, 0.2)
#: How long a backlog value is reused.
BACKLOG_LIFE_SECONDS = 1.0
_SECOND = timedelta(seconds=1)


def delay_seconds(span: timedelta, speed: float) -> int:
    """Convert a span of the engine's clock to whole seconds. ValueError above 15 minutes, the longest delay of SQS."""
    seconds = max(0, -(-(span / speed) // _SECOND))
    if seconds > LONGEST_DELAY_SECONDS:
        raise ValueError(f"SQS delays a message by at most {LONGEST_DELAY_SECONDS} seconds; got {seconds}, use a timer")
    return seconds


class SqsStepQueue:
    """Implements `ports.StepQueue`. `speed` is how many times faster than real time the engine's clock runs."""

    def __init__(
        self,
        client: "SQSClient",
        queue_url: str,
        speed: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._queue_url, self._speed = client, queue_url, speed
        self._sleep, self._monotonic = sleep, monotonic
        self._backlog: tuple[float, int] | None = None

    def send(self, steps: Sequence[ScheduledStep], now: datetime) -> None:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(index),
                "MessageBody": entry.message.model_dump_json(),
                "DelaySeconds": delay_seconds(entry.due - now, self._speed),
            }
            for index, entry in enumerate(steps)
        ]
        for start in range(0, len(entries), BATCH):
            self._send_up_to_10(entries[start : start + BATCH])

    def _send_up_to_10(self, entries: "list[SendMessageBatchRequestEntryTypeDef]") -> None:
        for pause in (0.0, *PAUSES):
            if pause:
                self._sleep(pause * (0.5 + random.random()))  # noqa: S311  # jitter, not a secret
            with translate_errors():
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            failed = {failure["Id"] for failure in answer.get("Failed", ())}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
        raise RetryLater("SQS did not accept all messages")

    def backlog(self) -> int:
        now = self._monotonic()
        if self._backlog is None or now - self._backlog[0] >= BACKLOG_LIFE_SECONDS:
            self._backlog = (now, self._count())
        return self._backlog[1]

    def _count(self) -> int:
        with translate_errors():
            answer = self._client.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


class SqsJobQueue:
    """Implements `ports.JobQueue`."""

    def __init__(self, client: "SQSClient", queue_url: str, speed: float = 1.0) -> None:
        self._client, self._queue_url, self._speed = client, queue_url, speed

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        with translate_errors():
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=job.model_dump_json(),
                DelaySeconds=delay_seconds(delay, self._speed),
            )


class SqsEventQueue:
    """Implements `ports.EventQueue`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        for start in range(0, len(events), EVENTS_A_MESSAGE):
            reported = EventBatch(workspace=workspace, events=tuple(events[start : start + EVENTS_A_MESSAGE]))
            with translate_errors():
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=reported.model_dump_json())
            for _ in reported.events:
                expect_event()


class SqsReceiptQueue:
    """Implements `ports.ReceiptQueue`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def send(self, body: str, delay: timedelta = timedelta(0)) -> None:
        if (size := len(body.encode())) > MAX_QUEUED_BYTES:
            raise TooLarge(
                (), f"The callback is too large to be queued: at most {MAX_QUEUED_BYTES:,} bytes; got {size:,}"
            )
        with translate_errors():
            self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_seconds(delay, 1.0)
            )
