"""In-memory queues with the rules of SQS (delay, visibility, receive count, dead letters) on a virtual clock."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import EventBatch, Job, ScheduledStep
from tests.faults.injector import SkewedClock
from tests.memory.queues import round_up

#: Values of `infra/resources.yaml`.
MAX_RECEIVES = 5
VISIBILITY = {
    "steps": timedelta(seconds=180),
    "jobs": timedelta(seconds=360),
    "events": timedelta(seconds=180),
    "receipts": timedelta(seconds=180),
    "dead_steps": timedelta(seconds=180),
    "dead_jobs": timedelta(seconds=180),
    "dead_events": timedelta(seconds=180),
    "dead_receipts": timedelta(seconds=180),
}
BATCH = {name: 1 if name == "jobs" else 10 for name in VISIBILITY}
EVENTS_A_MESSAGE = 25


@dataclass
class QueuedMessage:
    """A message in a queue; `times` counts its deliveries."""

    id: str
    body: str
    visible: datetime
    times: int = 0
    handle: str = ""


class Queues(Protocol):
    """The queue operations that the harness needs from a backend."""

    def receive(self, queue: str, now: datetime) -> list[QueuedMessage]:
        """Return a batch. Its messages stay invisible until their visibility timeout."""

    def delete(self, queue: str, message: QueuedMessage) -> None:
        """Delete a processed message."""

    def next_moment(self) -> datetime | None:
        """Return the time at which the next message becomes visible, or None when the queues are empty."""


@dataclass
class SimulatedQueues:
    """Queues as heaps that are ordered by visibility time."""

    clock: SkewedClock
    boxes: dict[str, list[tuple[datetime, int, QueuedMessage]]] = field(
        default_factory=lambda: {name: [] for name in BATCH}
    )
    sent: int = 0
    #: Dead letters that the redrive worker could not process either.
    unreadable: list[QueuedMessage] = field(default_factory=list)

    def put(self, queue: str, body: str, delay: timedelta = timedelta(0)) -> None:
        self.sent += 1
        message = QueuedMessage(f"{queue}-{self.sent}", body, self.clock.true_now() + round_up(delay))
        self._push(queue, message)

    def _push(self, queue: str, message: QueuedMessage) -> None:
        self.sent += 1
        heapq.heappush(self.boxes[queue], (message.visible, self.sent, message))

    def receive(self, queue: str, now: datetime) -> list[QueuedMessage]:
        box, batch = self.boxes[queue], []
        while box and box[0][0] <= now and len(batch) < BATCH[queue]:
            message = heapq.heappop(box)[2]
            if message.times >= MAX_RECEIVES:
                self._move_to_dead_letters(queue, message)
                continue
            message.times += 1
            message.visible = now + VISIBILITY[queue]
            batch.append(message)
        for message in batch:
            self._push(queue, message)
        return batch

    def _move_to_dead_letters(self, queue: str, message: QueuedMessage) -> None:
        if queue.startswith("dead_"):
            self.unreadable.append(message)
            return
        self._push(f"dead_{queue}", QueuedMessage(message.id, message.body, self.clock.true_now()))

    def delete(self, queue: str, message: QueuedMessage) -> None:
        box = self.boxes[queue]
        box[:] = [entry for entry in box if entry[2].id != message.id]
        heapq.heapify(box)

    def next_moment(self) -> datetime | None:
        return min((box[0][0] for box in self.boxes.values() if box), default=None)

    def visible(self, queue: str) -> int:
        now = self.clock.true_now()
        return sum(entry[0] <= now for entry in self.boxes[queue])


class SimulatedStepQueue:
    """The port StepQueue over the harness's queues."""

    def __init__(self, queues: SimulatedQueues) -> None:
        self._queues = queues

    def send(self, steps: Sequence[ScheduledStep], now: datetime) -> None:
        for each in steps:
            self._queues.put("steps", each.message.model_dump_json(), each.due - now)

    def backlog(self) -> int:
        return self._queues.visible("steps")


class SimulatedJobQueue:
    """The port JobQueue over the harness's queues."""

    def __init__(self, queues: SimulatedQueues) -> None:
        self._queues = queues

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        self._queues.put("jobs", job.model_dump_json(), delay)


class SimulatedEventQueue:
    """The port EventQueue over the harness's queues."""

    def __init__(self, queues: SimulatedQueues) -> None:
        self._queues = queues

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        for start in range(0, len(events), EVENTS_A_MESSAGE):
            reported = EventBatch(workspace=workspace, events=tuple(events[start : start + EVENTS_A_MESSAGE]))
            self._queues.put("events", reported.model_dump_json())


class SimulatedReceiptQueue:
    """The port ReceiptQueue over the harness's queues."""

    def __init__(self, queues: SimulatedQueues) -> None:
        self._queues = queues

    def send(self, body: str, delay: timedelta = timedelta(0)) -> None:
        self._queues.put("receipts", body, delay)
