"""Where a run takes place: in memory, or on AWS as ministack or moto play it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.ports import Ports
from tests.faults.injector import PORTS, Board, SkewedClock
from tests.faults.simulated_queues import MemoryPost, Post, PostedEvents, PostedJobs, PostedReceipts, PostedSteps
from tests.memory.catalog import MemoryCatalog
from tests.memory.circuits import MemoryCircuits
from tests.memory.consents import MemoryConsents
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.memory.executions import MemoryExecutions
from tests.memory.pacing_store import MemoryGates
from tests.memory.rates import MemoryRates
from tests.memory.statistics import MemoryStatistics
from tests.memory.stores import shared_stores
from tests.memory.timers import MemoryTimers
from tests.memory.usage_limits import MemoryAllowances
from tests.memory.webhooks import MemoryWebhookCaller, MemoryWebhookDesk, MemoryWebhookQueue


class Backend(Protocol):
    """Ports, queues and a clock that belong together."""

    clock: SkewedClock
    ports: Ports
    post: Post
    #: Ports whose calls the switchboard counts; on AWS it counts AWS's calls instead.
    wired: Sequence[str]

    def move(self, span: timedelta) -> None:
        """Time passes."""

    def listening(self, board: Board) -> AbstractContextManager[None]:
        """The switchboard hears of calls that it is not in front of."""

    def claims(self, now: datetime) -> int:
        """How many rows are claimed: what a fault at this moment may make unknown."""


@dataclass
class MemoryBackend:
    """Nothing but dicts: a step takes a tenth of a millisecond."""

    clock: SkewedClock
    ports: Ports
    post: MemoryPost
    executions: MemoryExecutions
    wired: Sequence[str] = PORTS

    @classmethod
    @contextmanager
    def new(cls) -> "Iterator[MemoryBackend]":
        """An empty one."""
        clock, executions, events = SkewedClock(), MemoryExecutions(), MemoryEvents()
        catalog, consents = MemoryCatalog(), MemoryConsents()
        post = MemoryPost(clock)
        ports = Ports(
            clock=clock,
            **shared_stores(catalog, MemoryContacts(events, consents), MemoryStatistics()),
            consents=consents,
            events=events,
            event_queue=PostedEvents(post),
            receipt_queue=PostedReceipts(post),
            executions=executions,
            steps=PostedSteps(post),
            jobs=PostedJobs(post),
            timers=MemoryTimers(),
            pacing=MemoryGates(),
            circuits=MemoryCircuits(catalog),
            rates=MemoryRates(),
            usage_limits=MemoryAllowances(),
            webhook_scheduler=MemoryWebhookDesk(),
            webhook_queue=MemoryWebhookQueue(),
            webhook_caller=MemoryWebhookCaller(),
            channel_types={},
            secret=lambda: b"faults",
        )
        yield cls(clock, ports, post, executions)

    def move(self, span: timedelta) -> None:
        self.clock.advance(span)

    def listening(self, board: Board) -> AbstractContextManager[None]:
        return nullcontext()

    def claims(self, now: datetime) -> int:
        return sum(row.claim is not None for row in self.executions.rows.values())
