"""Queues in lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.errors import TooLarge
from chalicelib.model.delivery_report import MAX_QUEUED_BYTES
from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import Job, ScheduledStep, StepMessage

_SECOND = timedelta(seconds=1)
_LONGEST = 900 * _SECOND


def round_up(span: timedelta) -> timedelta:
    """Round a delay up to whole seconds, as SQS requires. ValueError above the longest delay of SQS."""
    rounded = max(timedelta(0), -(-span // _SECOND) * _SECOND)
    if rounded > _LONGEST:
        raise ValueError(f"SQS delays at most 900 seconds, not {rounded // _SECOND}: use a timer")
    return rounded


class MemoryStepQueue:
    """Implements `ports.StepQueue` in memory; `entries` hold the time at which each message becomes visible."""

    def __init__(self) -> None:
        self.entries: list[tuple[datetime, StepMessage]] = []
        #: Return value of `backlog`. Tests set it, because this queue has no clock.
        self.reported_backlog = 0

    def send(self, steps: Sequence[ScheduledStep], now: datetime) -> None:
        self.entries.extend([(now + round_up(entry.due - now), entry.message) for entry in steps])

    def backlog(self) -> int:
        return self.reported_backlog

    def take(self, now: datetime, count: int | None = None) -> list[StepMessage]:
        """Remove and return the messages that have become visible, earliest first, at most `count`."""
        ready = sorted((entry for entry in self.entries if entry[0] <= now), key=lambda entry: entry[0])[:count]
        for entry in ready:
            self.entries.remove(entry)
        return [message for _, message in ready]


class MemoryJobQueue:
    """Implements `ports.JobQueue` in memory."""

    def __init__(self) -> None:
        self.entries: list[tuple[Job, timedelta]] = []

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        self.entries.append((job, round_up(delay)))

    def take(self) -> tuple[Job, timedelta] | None:
        """Remove and return the oldest job with its delay."""
        return self.entries.pop(0) if self.entries else None


class MemoryEventQueue:
    """Implements `ports.EventQueue` in memory."""

    def __init__(self) -> None:
        self.entries: list[tuple[WorkspaceUid, Event]] = []

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        self.entries += [(workspace, event) for event in events]


class MemoryReceiptQueue:
    """Implements `ports.ReceiptQueue` in memory."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, timedelta]] = []

    def send(self, body: str, delay: timedelta = timedelta(0)) -> None:
        if (size := len(body.encode())) > MAX_QUEUED_BYTES:
            raise TooLarge((), f"At most {MAX_QUEUED_BYTES:,} bytes; got {size:,}")
        self.entries.append((body, round_up(delay)))
