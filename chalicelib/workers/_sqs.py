"""Shared by the SQS workers: read records, answer with `batchItemFailures`, and tell the remaining time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, cast

from chalice.app import SQSEvent
from pydantic import ValidationError


class LambdaContext(Protocol):
    """The part of Lambda's context that the workers use."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda stops the function."""


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """One message of a batch. `times` counts its deliveries, including this one."""

    id: str
    body: str
    times: int


Failures = dict[str, list[dict[str, str]]]


def records_of(event: SQSEvent) -> list[QueueRecord]:
    """Return the messages of an SQS event."""
    return [
        QueueRecord(each["messageId"], each["body"], int(each["attributes"]["ApproximateReceiveCount"]))
        for each in event.to_dict()["Records"]
    ]


def failures(ids: Iterable[str]) -> Failures:
    """Build the response that makes SQS deliver only these messages again."""
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def reason_of(error: ValidationError) -> str:
    """Return which fields could not be read and why, without their values: `v literal_error, x extra_forbidden`.

    During an update, the old code may receive a message of the new version. It returns to the queue until the new code
    receives it, or waits in the dead-letter queue; the log names this reason.
    """
    return ", ".join(" ".join((*map(str, each["loc"]), each["type"])) for each in error.errors(include_input=False))


def time_left_of(event: SQSEvent) -> Callable[[], timedelta]:
    """Return a function that tells how long this invocation may still run."""
    context = cast(LambdaContext, event.context)
    return lambda: timedelta(milliseconds=context.get_remaining_time_in_millis())
