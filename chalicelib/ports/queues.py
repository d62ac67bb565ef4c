"""The ports of queues and timers. Each delivers a message at least once."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import Job, ScheduledStep


class StepQueue(Protocol):
    """Step messages."""

    def send(self, steps: Sequence[ScheduledStep], now: datetime) -> None:
        """Send each message with a delay until it is due. It arrives less than a second late, never early.

        ValueError for a message that is due more than 15 minutes from now, the longest delay of SQS.
        """

    def backlog(self) -> int:
        """Return the approximate number of visible messages."""


class JobQueue(Protocol):
    """Background jobs."""

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        """Send a job with a delay of at most 15 minutes; ValueError for a longer one."""


class EventQueue(Protocol):
    """Events for event triggers and webhooks."""

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        """Send any number of events."""


class ReceiptQueue(Protocol):
    """Delivery reports that are not yet stored on their executions."""

    def send(self, body: str, delay: timedelta = timedelta(0)) -> None:
        """Send the text unchanged, with a delay of at most 15 minutes of real time. TooLarge above MAX_QUEUED_BYTES."""


class Timers(Protocol):
    """Step messages that are due more than 15 minutes from now, in buckets of one minute."""

    def put(self, steps: Sequence[ScheduledStep]) -> None:
        """Store each message in the bucket of its due minute."""

    def buckets(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Return the names of the buckets in use from the minute of `start` to that of `end`, both included."""

    def read(self, bucket: str) -> Iterator[ScheduledStep]:
        """Yield the messages of a bucket."""

    def swept_to(self) -> datetime | None:
        """Return the minute of the last sweep: buckets up to it have been released to the step queue."""

    def set_swept_to(self, minute: datetime) -> None:
        """Store that minute; an earlier one changes nothing."""
