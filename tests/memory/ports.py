"""All ports in memory, for unit tests of use cases."""

from typing import Any

from chalicelib.ports import Ports
from tests.memory.catalog import MemoryCatalog
from tests.memory.circuits import MemoryCircuits
from tests.memory.clock import VirtualClock
from tests.memory.consents import MemoryConsents
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.memory.executions import MemoryExecutions
from tests.memory.pacing_store import MemoryPacing
from tests.memory.queues import MemoryEventQueue, MemoryJobQueue, MemoryReceiptQueue, MemoryStepQueue
from tests.memory.rates import MemoryRates
from tests.memory.statistics import MemoryStatistics
from tests.memory.stores import shared_stores
from tests.memory.timers import MemoryTimers
from tests.memory.usage_limits import MemoryUsageLimits
from tests.memory.webhooks import MemoryWebhookCaller, MemoryWebhookQueue, MemoryWebhookScheduler


def memory_ports(**replacements: Any) -> Ports:
    """Return empty ports in memory, with some of them replaced."""
    catalog = MemoryCatalog()
    ports: dict[str, Any] = {
        **shared_stores(catalog, MemoryContacts(), MemoryStatistics()),
        "clock": VirtualClock(),
        "circuits": MemoryCircuits(catalog),
        "rates": MemoryRates(),
        "consents": MemoryConsents(),
        "events": MemoryEvents(),
        "event_queue": MemoryEventQueue(),
        "receipt_queue": MemoryReceiptQueue(),
        "executions": MemoryExecutions(),
        "steps": MemoryStepQueue(),
        "jobs": MemoryJobQueue(),
        "timers": MemoryTimers(),
        "pacing": MemoryPacing(),
        "usage_limits": MemoryUsageLimits(),
        "webhook_scheduler": MemoryWebhookScheduler(),
        "webhook_queue": MemoryWebhookQueue(),
        "webhook_caller": MemoryWebhookCaller(),
        "channel_types": {},
        "secret": lambda: b"secret",
    }
    return Ports(**{**ports, **replacements})
