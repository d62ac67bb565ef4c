"""A worker process: polls every queue as an event source mapping does and calls the functions as Lambda does."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local import orphan
from infra.local.lambda_runtime import ACCOUNT, REGION, Context, Handler, load_handler
from infra.local.sources import QueueSource, read_sources

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

#: Long polls are cheap since aws_queues.py wakes them at once; the supervisor releases them at the end.
POLL_SECONDS = 10
#: SQS hands out and deletes ten messages a call.
PAGE = 10
#: How long to wait after AWS could not be asked.
PAUSE_SECONDS = 0.2

log = logging.getLogger("runner")


class InvalidAnswer(Exception):
    """The function's answer names no message of the batch: Lambda then takes all of them as failed."""


def build_event(messages: Iterable["MessageTypeDef"], queue: str) -> dict[str, Any]:
    """The event that Lambda's SQS event source mapping gives a function."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
    return {"Records": [_build_record(message, arn) for message in messages]}


def _build_record(message: "MessageTypeDef", arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def read_failures(answer: Any, ids: set[str]) -> set[str]:
    """Message ids that a function gives back, by the rules of ReportBatchItemFailures. Raises InvalidAnswer."""
    if answer is None:
        return set()
    if not isinstance(answer, dict):
        raise InvalidAnswer(f"answered {type(answer).__name__}, not an object")
    failures = answer.get("batchItemFailures") or []
    try:
        named = {failure["itemIdentifier"] for failure in failures}
    except (TypeError, KeyError) as error:
        raise InvalidAnswer("batchItemFailures without itemIdentifier") from error
    if unknown := named - ids:
        raise InvalidAnswer(f"batchItemFailures names {sorted(map(str, unknown))[0]!r}, which is not in the batch")
    return named


@dataclass(slots=True)
class Running:
    """The batch that a source works on, for the watchdog."""

    context: Context
    records: int
    warned: bool = False


class Poller:
    """One thread of one event source."""

    def __init__(self, sqs: "SQSClient", source: QueueSource, url: str, handler: Handler) -> None:
        self.source = source
        self._sqs = sqs
        self._url = url
        self._queue = url.rpartition("/")[2]
        self._handler = handler
        self.running: Running | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """Poll until stopped; a batch that was received is worked off first."""
        while not stopped():
            try:
                messages = self._gather()
                if messages:
                    self._work_off(messages)
            except (BotoCoreError, ClientError) as error:
                if not stopped():
                    log.warning("%s: cannot reach its queue (%s); trying again", self.source.name, type(error).__name__)
                    time.sleep(PAUSE_SECONDS)

    def _gather(self) -> list["MessageTypeDef"]:
        """One batch: what is there or, with a window, what comes within it."""
        messages = self._receive(self.source.batch_size, POLL_SECONDS)
        deadline = time.monotonic() + self.source.window
        while messages and len(messages) < self.source.batch_size and time.monotonic() < deadline:
            messages += self._receive(self.source.batch_size - len(messages), 1)
        return messages

    def _receive(self, most: int, seconds: int) -> list["MessageTypeDef"]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(PAGE, most),
            WaitTimeSeconds=seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _work_off(self, messages: list["MessageTypeDef"]) -> None:
        context = Context(self.source.name, self.source.timeout)
        self.running = Running(context, len(messages))
        try:
            failed, reason = self._call(messages, context)
        finally:
            self.running = None
        self._delete([message for message in messages if message["MessageId"] not in failed])
        if reason:
            # What the function did and gave back, it says itself.
            taken = 1000 * (time.monotonic() - context.began)
            orphan.say(f"{self.source.name}: {len(messages)} records come again after {taken:.0f} ms: it {reason}")

    def _call(self, messages: list["MessageTypeDef"], context: Context) -> tuple[set[str], str]:
        """The message ids to keep, and why all of them were kept."""
        ids = {message["MessageId"] for message in messages}
        try:
            answer = self._handler(build_event(messages, self._queue), context)
            # Through JSON, as Lambda's answers go.
            failed = read_failures(json.loads(json.dumps(answer)), ids)
        except InvalidAnswer as error:
            return ids, f"gave an invalid answer: {error}"
        except Exception as error:  # Lambda, too, survives whatever its function raises.
            log.exception("%s raised", self.source.name)
            return ids, f"raised {type(error).__name__}"
        if context.get_remaining_time_in_millis() == 0:
            return ids, f"timed out: Lambda would have ended it after {self.source.timeout} s"
        return failed, ""

    def _delete(self, messages: list["MessageTypeDef"]) -> None:
        for start in range(0, len(messages), PAGE):
            page = messages[start : start + PAGE]
            answer = self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(page)],
            )
            for failure in answer.get("Failed", []):
                log.warning("%s: a message was not deleted: %s", self.source.name, failure.get("Message", ""))


def watch(pollers: list[Poller]) -> None:
    """Warn of each batch that has used up its time: a thread cannot be ended as Lambda ends a function."""
    for poller in pollers:
        running = poller.running
        if running and not running.warned and running.context.get_remaining_time_in_millis() == 0:
            running.warned = True
            log.warning("%s runs longer than its %d s", poller.source.name, poller.source.timeout)


def build_pollers(sources: Path, queues: dict[str, str], index: int) -> list[Poller]:
    """The pollers of worker number `index`; a source with a maximum concurrency runs in the first workers only."""
    chosen = [s for s in read_sources(sources).queues if s.concurrency is None or index < s.concurrency]
    config = Config(
        read_timeout=POLL_SECONDS + 20,
        connect_timeout=5,
        max_pool_connections=len(chosen) + 2,
        retries={"total_max_attempts": 1},
    )
    sqs = boto3.client("sqs", config=config)
    return [Poller(sqs, source, queues[source.queue], load_handler(source.entry)) for source in chosen]


def main() -> None:
    orphan.begin()
    stop = threading.Event()
    orphan.on_stop(stop.set)
    queues: dict[str, str] = json.loads(os.environ["LOCAL_QUEUES"])
    pollers = build_pollers(Path(os.environ["LOCAL_DATA"]) / "sources.json", queues, int(sys.argv[1]))
    with ThreadPoolExecutor(len(pollers) or 1, thread_name_prefix="poller") as pool:
        running = [pool.submit(poller.run, stop.is_set) for poller in pollers]
        while not stop.wait(1.0):
            watch(pollers)
            for future in running:
                if future.done():
                    stop.set()
    for future in running:
        future.result()


if __name__ == "__main__":
    main()
