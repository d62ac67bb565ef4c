"""Reads the event sources (queues, schedules) of the functions from the Chalice app.

Workers read them from a file, so that they import only the module of a function, as Lambda does.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalice.app import ScheduledEventConfig, ScheduleExpression, SQSEventConfig

from infra.local.lambda_runtime import read_timeouts

#: CloudFormation form of a queue name, with the logical id.
LOGICAL_ID = re.compile(r"\$\{(\w+)\.QueueName\}")
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class QueueSource:
    """A function that processes messages of a queue; `queue` is the logical id or the plain name."""

    name: str
    entry: str
    timeout: int
    queue: str
    batch_size: int
    window: int
    concurrency: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function that runs every `seconds`."""

    name: str
    entry: str
    timeout: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Sources:
    queues: tuple[QueueSource, ...]
    schedules: tuple[Schedule, ...]


def read_sources(path: Path) -> Sources:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Sources(
        tuple(QueueSource(**source) for source in found["queues"]),
        tuple(Schedule(**schedule) for schedule in found["schedules"]),
    )


def find_sources(event_sources: Iterable[Any], root: Path, stage: str) -> Sources:
    """Convert declarations of the app. Raises ValueError if the local stack does not support one."""
    timeout = read_timeouts(root, stage)
    queues: list[QueueSource] = []
    schedules: list[Schedule] = []
    for source in event_sources:
        known = (source.name, source.handler_string, timeout(source.name))
        match source:
            case SQSEventConfig():
                window, most = source.maximum_batching_window_in_seconds or 0, source.maximum_concurrency
                queues.append(QueueSource(*known, _queue(source), source.batch_size, window, most))
            case ScheduledEventConfig():
                schedules.append(Schedule(*known, _seconds(source)))
            case _:
                raise ValueError(f"{source.name}: {type(source).__name__} is not run by the local stack")
    return Sources(tuple(queues), tuple(schedules))


def _queue(source: SQSEventConfig) -> str:
    if source.batch_size > 10 and not source.maximum_batching_window_in_seconds:
        raise ValueError(f"{source.name}: AWS refuses a batch_size above 10 without a batching window")
    declared = source.queue or (source.queue_arn or "").rpartition(":")[2]
    match = LOGICAL_ID.fullmatch(declared)
    return match[1] if match else declared


def _seconds(source: ScheduledEventConfig) -> int:
    declared = source.schedule_expression
    text = declared.to_string() if isinstance(declared, ScheduleExpression) else declared
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{source.name}: the local stack runs rate(…) schedules, not {text}")
    return int(match[1]) * SECONDS[match[2]]
