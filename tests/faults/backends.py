"""Backends of a run: memory, or AWS as ministack or moto emulate it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.ports import Ports
from tests.faults.injector import PORTS, FaultInjector, SkewedClock
from tests.faults.simulated_queues import (
    Queues,
    SimulatedEventQueue,
    SimulatedJobQueue,
    SimulatedQueues,
    SimulatedReceiptQueue,
    SimulatedStepQueue,
)
from tests.memory.catalog import MemoryCatalog
from tests.memory.circuits import MemoryCircuits
from tests.memory.consents import MemoryConsents
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.memory.executions import MemoryExecutions
from tests.memory.pacing_store import MemoryPacing
from tests.memory.rates import MemoryRates
from tests.memory.statistics import MemoryStatistics
from tests.memory.stores import shared_stores
from tests.memory.timers import MemoryTimers
from tests.memory.usage_limits import MemoryUsageLimits
from tests.memory.webhooks import MemoryWebhookCaller, MemoryWebhookQueue, MemoryWebhookScheduler


class Backend(Protocol):
    """Ports, queues and a clock that belong to one run."""

    clock: SkewedClock
    ports: Ports
    queues: Queues
    #: Ports that the injector intercepts. On AWS it intercepts the calls of botocore instead.
    intercepted: Sequence[str]

    def move(self, span: timedelta) -> None:
        """Let time pass."""

    def listening(self, injector: FaultInjector) -> AbstractContextManager[None]:
        """Route calls that do not pass an intercepted port through the injector."""

    def claims(self, now: datetime) -> int:
        """Return the number of claimed executions: at most so many messages can become unknown by a fault now."""


@dataclass
class MemoryBackend:
    """Ports in memory. One step takes about 0.1 ms."""

    clock: SkewedClock
    ports: Ports
    queues: SimulatedQueues
    executions: MemoryExecutions
    intercepted: Sequence[str] = PORTS

    @classmethod
    @contextmanager
    def new(cls) -> "Iterator[MemoryBackend]":
        """Yield an empty backend."""
        clock, executions, events = SkewedClock(), MemoryExecutions(), MemoryEvents()
        catalog, consents = MemoryCatalog(), MemoryConsents()
        queues = SimulatedQueues(clock)
        ports = Ports(
            clock=clock,
            **shared_stores(catalog, MemoryContacts(events, consents), MemoryStatistics()),
            consents=consents,
            events=events,
            event_queue=SimulatedEventQueue(queues),
            receipt_queue=SimulatedReceiptQueue(queues),
            executions=executions,
            steps=SimulatedStepQueue(queues),
            jobs=SimulatedJobQueue(queues),
            timers=MemoryTimers(),
            pacing=MemoryPacing(),
            circuits=MemoryCircuits(catalog),
            rates=MemoryRates(),
            usage_limits=MemoryUsageLimits(),
            webhook_scheduler=MemoryWebhookScheduler(),
            webhook_queue=MemoryWebhookQueue(),
            webhook_caller=MemoryWebhookCaller(),
            channel_types={},
            secret=lambda: b"faults",
        )
        yield cls(clock, ports, queues, executions)

    def move(self, span: timedelta) -> None:
        self.clock.advance(span)

    def listening(self, injector: FaultInjector) -> AbstractContextManager[None]:
        return nullcontext()

    def claims(self, now: datetime) -> int:
        return sum(execution.claim is not None for execution in self.executions.stored.values())
