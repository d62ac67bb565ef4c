"""The queues of the harness: SQS's rules (delay, visibility, receive count, dead letters) on a clock of our own."""

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

#: As `infra/resources.yaml` says.
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
class Mail:
    """One message; `times` counts its deliveries."""

    id: str
    body: str
    visible: datetime
    times: int = 0
    handle: str = ""


class Post(Protocol):
    """What a backend's queues can do for the harness."""

    def receive(self, queue: str, now: datetime) -> list[Mail]:
        """A batch, which stays invisible until its visibility timeout."""

    def delete(self, queue: str, mail: Mail) -> None:
        """It is done."""

    def next_moment(self) -> datetime | None:
        """When the next message shows up; None when nothing is left."""


@dataclass
class MemoryPost:
    """Queues as heaps; `deaf` ones keep their messages, as a dead-letter queue under alarm does."""

    clock: SkewedClock
    boxes: dict[str, list[tuple[datetime, int, Mail]]] = field(default_factory=lambda: {name: [] for name in BATCH})
    sent: int = 0
    #: Dead letters that nobody can read: they are a person's business.
    buried: list[Mail] = field(default_factory=list)

    def put(self, queue: str, body: str, delay: timedelta = timedelta(0)) -> None:
        self.sent += 1
        mail = Mail(f"{queue}-{self.sent}", body, self.clock.true_now() + round_up(delay))
        self._push(queue, mail)

    def _push(self, queue: str, mail: Mail) -> None:
        self.sent += 1
        heapq.heappush(self.boxes[queue], (mail.visible, self.sent, mail))

    def receive(self, queue: str, now: datetime) -> list[Mail]:
        box, batch = self.boxes[queue], []
        while box and box[0][0] <= now and len(batch) < BATCH[queue]:
            mail = heapq.heappop(box)[2]
            if mail.times >= MAX_RECEIVES:
                self._bury(queue, mail)
                continue
            mail.times += 1
            mail.visible = now + VISIBILITY[queue]
            batch.append(mail)
        for mail in batch:
            self._push(queue, mail)
        return batch

    def _bury(self, queue: str, mail: Mail) -> None:
        if queue.startswith("dead_"):
            self.buried.append(mail)
            return
        self._push(f"dead_{queue}", Mail(mail.id, mail.body, self.clock.true_now()))

    def delete(self, queue: str, mail: Mail) -> None:
        box = self.boxes[queue]
        box[:] = [entry for entry in box if entry[2].id != mail.id]
        heapq.heapify(box)

    def next_moment(self) -> datetime | None:
        return min((box[0][0] for box in self.boxes.values() if box), default=None)

    def visible(self, queue: str) -> int:
        now = self.clock.true_now()
        return sum(entry[0] <= now for entry in self.boxes[queue])


class PostedSteps:
    """The port StepQueue over the harness's post."""

    def __init__(self, post: MemoryPost) -> None:
        self._post = post

    def send(self, hints: Sequence[ScheduledStep], now: datetime) -> None:
        for each in hints:
            self._post.put("steps", each.message.model_dump_json(), each.due - now)

    def backlog(self) -> int:
        return self._post.visible("steps")


class PostedJobs:
    """The port JobQueue over the harness's post."""

    def __init__(self, post: MemoryPost) -> None:
        self._post = post

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        self._post.put("jobs", job.model_dump_json(), delay)


class PostedEvents:
    """The port EventQueue over the harness's post."""

    def __init__(self, post: MemoryPost) -> None:
        self._post = post

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        for start in range(0, len(events), EVENTS_A_MESSAGE):
            reported = EventBatch(workspace=workspace, events=tuple(events[start : start + EVENTS_A_MESSAGE]))
            self._post.put("events", reported.model_dump_json())


class PostedReceipts:
    """The port ReceiptQueue over the harness's post."""

    def __init__(self, post: MemoryPost) -> None:
        self._post = post

    def send(self, body: str, delay: timedelta = timedelta(0)) -> None:
        self._post.put("receipts", body, delay)
