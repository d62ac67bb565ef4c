"""Workers that run at once, on a clock of their own: whoever waits lets the one go on whose time comes next.

Each worker is a thread, but only one of them runs at any moment, and they change places only where they wait: for a
port (every call takes a few milliseconds), for the provider, for a moment. So a run is the same every time, and its
workers are interleaved as ten Lambdas are.
"""

import heapq
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib.model.message import OutgoingMessage, SendResult
from chalicelib.model.worker_memory import WorkerMemory
from chalicelib.ports import Ports
from chalicelib.wiring import use_ports
from infra.local.clock import build_event
from infra.local.lambda_runtime import load_handler
from tests.faults.backends import MemoryBackend
from tests.faults.injector import PORTS
from tests.faults.simulation import WORKERS, Context, _record
from tests.recording_channel import Postbox

#: What a call of DynamoDB or SQS takes.
LATENCY = timedelta(milliseconds=3)
#: How long an idle worker looks away at most, as a long poll does.
LOOK_AWAY = timedelta(seconds=1)
MOMENT = timedelta(milliseconds=1)


class Stopped(BaseException):
    """The test is over."""


@dataclass
class Crew:
    """Threads that take turns; `now` is when the one that runs is."""

    backend: MemoryBackend
    wakes: list[tuple[datetime, int, threading.Event]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    threads: list[threading.Thread] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    over: bool = False

    @property
    def now(self) -> datetime:
        return self.backend.clock.true_now()

    def pause(self, span: timedelta) -> None:
        """Everybody whose time comes before goes on first."""
        mine = threading.Event()
        if not self.over:
            heapq.heappush(self.wakes, (self.now + span, next(self.numbers), mine))
            self._hand_over()
            mine.wait()
        if self.over:
            raise Stopped

    def _hand_over(self) -> None:
        due, _, event = heapq.heappop(self.wakes)
        self.backend.clock.advance(max(due - self.now, timedelta(0)))
        event.set()

    def hire(self, work: Callable[[], None]) -> None:
        """Does this again and again, from the next pause of who hires on."""
        mine = threading.Event()

        def live() -> None:
            mine.wait()
            with suppress(Stopped):
                try:
                    while not self.over:
                        work()
                except Exception as error:  # noqa: BLE001 - raised in the test's own thread
                    self.broken.append(error)
            if not self.over:
                self._hand_over()

        self.threads.append(threading.Thread(target=live, daemon=True))
        self.threads[-1].start()
        heapq.heappush(self.wakes, (self.now + MOMENT, next(self.numbers), mine))

    def spend(self, span: timedelta) -> None:
        """The test waits while the crew works."""
        self.pause(span)
        if self.broken:
            raise self.broken[0]

    def dismiss(self) -> None:
        """All threads end."""
        self.over = True
        for _, _, event in self.wakes:
            event.set()
        for thread in self.threads:
            thread.join()


class _Clock:
    """Sleeping is waiting for one's turn."""

    speed = 1.0

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def now(self) -> datetime:
        return self._crew.now

    def real(self) -> datetime:
        return self._crew.now

    def sleep(self, span: timedelta) -> None:
        self._crew.pause(span)


class _Slow:
    """A port whose every call takes time, in which others do theirs."""

    def __init__(self, crew: Crew, port: object) -> None:
        self._crew, self._port = crew, port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def called(*arguments: Any, **named: Any) -> Any:
            self._crew.pause(LATENCY)
            return method(*arguments, **named)

        return called


class _Own(MutableMapping[Any, Any]):
    """What each process has for itself, where threads stand for processes."""

    def __init__(self) -> None:
        self._kept = threading.local()

    @property
    def _mine(self) -> dict[Any, Any]:
        found: dict[Any, Any] = self._kept.__dict__
        return found

    def __getitem__(self, key: Any) -> Any:
        return self._mine[repr(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._mine[repr(key)] = value

    def __delitem__(self, key: Any) -> None:
        del self._mine[repr(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._mine)

    def __len__(self) -> int:
        return len(self._mine)


@dataclass
class Site:
    """A crew at work: ten workers for steps, two for jobs, the clock's rule, and a provider that takes its time."""

    crew: Crew
    ports: Ports
    provider: Postbox

    def look(self) -> Ports:
        """The ports, for who looks and does not count."""
        return replace(self.crew.backend.ports, clock=self.ports.clock, channel_types=self.ports.channel_types)


@contextmanager
def at_work(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[OutgoingMessage], SendResult],
    takes: Callable[[], timedelta],
    workers: int,
) -> Iterator[Site]:
    """`takes`: how long the provider takes to answer now."""
    monkeypatch.setenv("STAGE", "local")
    with MemoryBackend.new() as backend:
        crew = Crew(backend)
        clock = _Clock(crew)
        provider = Postbox(clock, answer=answer, during=lambda _: crew.pause(takes()))
        slow: Any = {name: _Slow(crew, getattr(backend.ports, name)) for name in PORTS}
        memory = WorkerMemory(rate_leases=_Own(), channel_failures=_Own())
        ports = replace(backend.ports, clock=clock, channel_types={"console": provider}, memory=memory, **slow)
        use_ports(ports)
        site = Site(crew, ports, provider)
        for queue, number in (("steps", workers), ("jobs", 2)):
            for _ in range(number):
                crew.hire(lambda queue=queue: _work(crew, queue))  # type: ignore[misc]  # of its time in the loop
        crew.hire(lambda: _tick(crew))
        try:
            yield site
        finally:
            crew.dismiss()
            use_ports(None)


def _work(crew: Crew, queue: str) -> None:
    """One batch, as Lambda does it; what fails comes again."""
    post = crew.backend.post
    batch = post.receive(queue, crew.now)
    if not batch:
        box = post.boxes[queue]
        crew.pause(min(LOOK_AWAY, max(MOMENT, box[0][0] - crew.now)) if box else LOOK_AWAY)
        return
    entry, limit = WORKERS[queue]
    deadline = crew.now + limit
    answer = load_handler(entry)(
        {"Records": [_record(mail, queue) for mail in batch]}, Context(lambda: deadline - crew.now)
    )
    failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
    for mail in batch:
        if mail.id not in failed:
            post.delete(queue, mail)


def _tick(crew: Crew) -> None:
    crew.pause(timedelta(minutes=1))
    load_handler("chalicelib.workers.clock.tick")(
        build_event("tick", crew.now.timestamp()), Context(lambda: LOOK_AWAY * 30)
    )
