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

#: Wait of a long poll, in s. aws_queues.py wakes it for new messages; the supervisor releases it at shutdown.
POLL_SECONDS = 10
#: Messages that SQS delivers or deletes per call.
PAGE = 10
#: Pause after a failed call of AWS, in s.
PAUSE_SECONDS = 0.2

log = logging.getLogger("runner")


class InvalidAnswer(Exception):
    """The function's response is invalid. Lambda then treats the whole batch as failed."""


def build_event(messages: Iterable["MessageTypeDef"], queue: str) -> dict[str, Any]:
    """Return the event of Lambda's SQS event source mapping."""
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
    """Return the failed message ids by the rules of ReportBatchItemFailures. Raises InvalidAnswer."""
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
    """The current batch of an event source, for the watchdog."""

    context: Context
    records: int
    warned: bool = False


class Poller:
    """Polls one event source in one thread."""

    def __init__(self, sqs: "SQSClient", source: QueueSource, url: str, handler: Handler) -> None:
        self.source = source
        self._sqs = sqs
        self._url = url
        self._queue = url.rpartition("/")[2]
        self._handler = handler
        self.running: Running | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """Poll until stopped. A received batch is completed first."""
        while not stopped():
            try:
                messages = self._gather()
                if messages:
                    self._process(messages)
            except (BotoCoreError, ClientError) as error:
                if not stopped():
                    log.warning("%s: cannot reach its queue (%s); trying again", self.source.name, type(error).__name__)
                    time.sleep(PAUSE_SECONDS)

    def _gather(self) -> list["MessageTypeDef"]:
        """Receive one batch: the messages available now, plus those that arrive within the batching window."""
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

    def _process(self, messages: list["MessageTypeDef"]) -> None:
        context = Context(self.source.name, self.source.timeout)
        self.running = Running(context, len(messages))
        try:
            failed, reason = self._call(messages, context)
        finally:
            self.running = None
        self._delete([message for message in messages if message["MessageId"] not in failed])
        if reason:
            # The function logs its own results; only failures outside of it are logged here.
            duration = 1000 * (time.monotonic() - context.began)
            orphan.say(f"{self.source.name}: {len(messages)} records come again after {duration:.0f} ms: it {reason}")

    def _call(self, messages: list["MessageTypeDef"], context: Context) -> tuple[set[str], str]:
        """Call the function; return the failed message ids, and a reason if the whole batch failed."""
        ids = {message["MessageId"] for message in messages}
        try:
            answer = self._handler(build_event(messages, self._queue), context)
            # Lambda sends responses as JSON.
            failed = read_failures(json.loads(json.dumps(answer)), ids)
        except InvalidAnswer as error:
            return ids, f"gave an invalid answer: {error}"
        except Exception as error:  # As in Lambda, an error of the function does not stop the poller.
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
    """Log batches that exceed their time limit. A thread cannot be stopped as Lambda stops a function."""
    for poller in pollers:
        running = poller.running
        if running and not running.warned and running.context.get_remaining_time_in_millis() == 0:
            running.warned = True
            log.warning("%s runs longer than its %d s", poller.source.name, poller.source.timeout)


def build_pollers(sources: Path, queues: dict[str, str], index: int) -> list[Poller]:
    """Build the pollers of worker `index`. A source with a maximum concurrency runs in the first workers only."""
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
