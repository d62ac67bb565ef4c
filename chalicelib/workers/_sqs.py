"""What the SQS workers share: records in, `batchItemFailures` out, the time that is left."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, cast

from chalice.app import SQSEvent


class LambdaContext(Protocol):
    """The part of Lambda's context that we use."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a batch; `times` counts its deliveries, this one included."""

    id: str
    body: str
    times: int


Failures = dict[str, list[dict[str, str]]]


def records_of(event: SQSEvent) -> list[Record]:
    """The messages of an SQS event."""
    return [
        Record(each["messageId"], each["body"], int(each["attributes"]["ApproximateReceiveCount"]))
        for each in event.to_dict()["Records"]
    ]


def failures(ids: Iterable[str]) -> Failures:
    """The answer by which only these messages come again."""
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def time_left_of(event: SQSEvent) -> Callable[[], timedelta]:
    """How long this invocation may still run."""
    context = cast(LambdaContext, event.context)
    return lambda: timedelta(milliseconds=context.get_remaining_time_in_millis())
