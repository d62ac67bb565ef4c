"""What the SQS workers share: records in, `batchItemFailures` out, the time that is left."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, cast

from chalice.app import SQSEvent
from pydantic import ValidationError


class LambdaContext(Protocol):
    """The part of Lambda's context that we use."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """One message of a batch; `times` counts its deliveries, this one included."""

    id: str
    body: str
    times: int


Failures = dict[str, list[dict[str, str]]]


def records_of(event: SQSEvent) -> list[QueueRecord]:
    """The messages of an SQS event."""
    return [
        QueueRecord(each["messageId"], each["body"], int(each["attributes"]["ApproximateReceiveCount"]))
        for each in event.to_dict()["Records"]
    ]


def failures(ids: Iterable[str]) -> Failures:
    """The answer by which only these messages come again."""
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def reason_of(error: ValidationError) -> str:
    """Which fields could not be read and why, without their values: `v literal_error, x extra_forbidden`.

    During an update a message of the new version may meet the old code. It is given back until the new code gets it,
    and at worst waits in the dead-letter queue, under this reason.
    """
    return ", ".join(" ".join((*map(str, each["loc"]), each["type"])) for each in error.errors(include_input=False))


def time_left_of(event: SQSEvent) -> Callable[[], timedelta]:
    """How long this invocation may still run."""
    context = cast(LambdaContext, event.context)
    return lambda: timedelta(milliseconds=context.get_remaining_time_in_millis())
