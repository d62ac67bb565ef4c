"""Concurrent workers on a virtual clock.

Each worker is a thread, but only one thread runs at a time. A thread that waits resumes the thread with the earliest
wake-up time. Threads wait only for a port (a few milliseconds a call), for the provider and between batches. A run is
therefore repeatable, and its workers interleave as ten Lambda functions do.
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
from tests.recording_channel import RecordingChannel

#: Duration of a call of DynamoDB or SQS.
LATENCY = timedelta(milliseconds=3)
#: Longest pause of an idle worker between two polls.
POLL_PAUSE = timedelta(seconds=1)
MOMENT = timedelta(milliseconds=1)


class Stopped(BaseException):
    """Raised in a worker thread when the test is over."""


@dataclass
class WorkerPool:
    """Worker threads that run one at a time; `now` is the virtual time of the running thread."""

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
        """Wait for `span`. Threads with an earlier wake-up time run first."""
        resumed = threading.Event()
        if not self.over:
            heapq.heappush(self.wakes, (self.now + span, next(self.numbers), resumed))
            self._resume_next()
            resumed.wait()
        if self.over:
            raise Stopped

    def _resume_next(self) -> None:
        due, _, event = heapq.heappop(self.wakes)
        self.backend.clock.advance(max(due - self.now, timedelta(0)))
        event.set()

    def start(self, work: Callable[[], None]) -> None:
        """Start a thread that repeats `work`, from the next pause of the calling thread on."""
        resumed = threading.Event()

        def run() -> None:
            resumed.wait()
            with suppress(Stopped):
                try:
                    while not self.over:
                        work()
                except Exception as error:  # noqa: BLE001 - raised in the test's own thread
                    self.broken.append(error)
            if not self.over:
                self._resume_next()

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()
        heapq.heappush(self.wakes, (self.now + MOMENT, next(self.numbers), resumed))

    def run_for(self, span: timedelta) -> None:
        """Let the workers run for `span` of virtual time, and raise the first error of a worker."""
        self.pause(span)
        if self.broken:
            raise self.broken[0]

    def stop(self) -> None:
        """End all threads."""
        self.over = True
        for _, _, event in self.wakes:
            event.set()
        for thread in self.threads:
            thread.join()


class _Clock:
    """The clock of the ports; sleep resumes another worker."""

    speed = 1.0

    def __init__(self, pool: WorkerPool) -> None:
        self._crew = pool

    def now(self) -> datetime:
        return self._crew.now

    def real(self) -> datetime:
        return self._crew.now

    def sleep(self, span: timedelta) -> None:
        self._crew.pause(span)


class _SlowPort:
    """A port with a latency; other workers run during each call."""

    def __init__(self, pool: WorkerPool, port: object) -> None:
        self._crew, self._port = pool, port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def called(*arguments: Any, **named: Any) -> Any:
            self._crew.pause(LATENCY)
            return method(*arguments, **named)

        return called


class _PerThread(MutableMapping[Any, Any]):
    """A mapping with its own content in each thread. A thread stands for a process, which shares no memory."""

    def __init__(self) -> None:
        self._local = threading.local()

    @property
    def _content(self) -> dict[Any, Any]:
        content: dict[Any, Any] = self._local.__dict__
        return content

    def __getitem__(self, key: Any) -> Any:
        return self._content[repr(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._content[repr(key)] = value

    def __delitem__(self, key: Any) -> None:
        del self._content[repr(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


@dataclass
class Deployment:
    """A running pool: workers for steps, two workers for jobs, the clock rule, and a provider with a latency."""

    pool: WorkerPool
    ports: Ports
    provider: RecordingChannel

    def uncounted_ports(self) -> Ports:
        """Return the ports without latency, for the assertions of a test."""
        return replace(self.pool.backend.ports, clock=self.ports.clock, channel_types=self.ports.channel_types)


@contextmanager
def concurrent_workers(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[OutgoingMessage], SendResult],
    takes: Callable[[], timedelta],
    workers: int,
) -> Iterator[Deployment]:
    """Yield a running pool; `takes` returns the provider's current latency."""
    monkeypatch.setenv("STAGE", "local")
    with MemoryBackend.new() as backend:
        pool = WorkerPool(backend)
        clock = _Clock(pool)
        provider = RecordingChannel(clock, answer=answer, during=lambda _: pool.pause(takes()))
        slow: Any = {name: _SlowPort(pool, getattr(backend.ports, name)) for name in PORTS}
        memory = WorkerMemory(rate_leases=_PerThread(), channel_failures=_PerThread())
        ports = replace(backend.ports, clock=clock, channel_types={"console": provider}, memory=memory, **slow)
        use_ports(ports)
        deployment = Deployment(pool, ports, provider)
        for queue, number in (("steps", workers), ("jobs", 2)):
            for _ in range(number):
                pool.start(lambda queue=queue: _work(pool, queue))  # type: ignore[misc]  # binds the loop variable
        pool.start(lambda: _tick(pool))
        try:
            yield deployment
        finally:
            pool.stop()
            use_ports(None)


def _work(pool: WorkerPool, queue: str) -> None:
    """Process one batch as Lambda does; failed messages stay in the queue."""
    queues = pool.backend.queues
    batch = queues.receive(queue, pool.now)
    if not batch:
        box = queues.boxes[queue]
        pool.pause(min(POLL_PAUSE, max(MOMENT, box[0][0] - pool.now)) if box else POLL_PAUSE)
        return
    entry, limit = WORKERS[queue]
    deadline = pool.now + limit
    answer = load_handler(entry)(
        {"Records": [_record(message, queue) for message in batch]}, Context(lambda: deadline - pool.now)
    )
    failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
    for message in batch:
        if message.id not in failed:
            queues.delete(queue, message)


def _tick(pool: WorkerPool) -> None:
    pool.pause(timedelta(minutes=1))
    load_handler("chalicelib.workers.clock.tick")(
        build_event("tick", pool.now.timestamp()), Context(lambda: POLL_PAUSE * 30)
    )
