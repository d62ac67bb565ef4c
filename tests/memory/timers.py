"""Timers in a dict of minute buckets."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from chalicelib.model.queue_messages import ScheduledStep

_FORMAT = "%Y%m%d%H%M"


class MemoryTimers:
    """Implements `ports.Timers` in memory; every bucket is shard 0 of its minute."""

    def __init__(self) -> None:
        self.steps: dict[str, list[ScheduledStep]] = {}
        self.swept: datetime | None = None

    def put(self, steps: Sequence[ScheduledStep]) -> None:
        for entry in steps:
            self.steps.setdefault(_name(entry.due), []).append(entry)

    def buckets(self, start: datetime, end: datetime) -> tuple[str, ...]:
        return tuple(name for name in sorted(self.steps) if _name(start) <= name <= _name(end))

    def read(self, bucket: str) -> Iterator[ScheduledStep]:
        return iter(tuple(self.steps.get(bucket, ())))

    def swept_to(self) -> datetime | None:
        return self.swept

    def set_swept_to(self, minute: datetime) -> None:
        minute = minute.replace(second=0, microsecond=0)
        self.swept = max(self.swept, minute) if self.swept else minute


def _name(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):{_FORMAT}}#0"
