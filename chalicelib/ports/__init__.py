"""Ports: what the core needs from the outside world, as protocols that `aws/` and `providers/` implement.

Every method may raise RetryLater while the service that it calls is throttled or unavailable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalicelib.model.channel_type import ChannelType
from chalicelib.model.worker_memory import WorkerMemory
from chalicelib.ports.balances import Balances, FlowBudgets
from chalicelib.ports.catalog import Catalog, DocumentSchedule
from chalicelib.ports.circuits import ChannelStatus, Circuits
from chalicelib.ports.clock import Clock
from chalicelib.ports.conditional_save import ExpectClaimedBy, ExpectUnclaimed, Save
from chalicelib.ports.contacts import Consents, Contacts, ContactShards
from chalicelib.ports.document_parts import DocumentVersions, ListChunks
from chalicelib.ports.events import Events, StoredEvent
from chalicelib.ports.executions import Executions
from chalicelib.ports.files import Files, MultipartFiles
from chalicelib.ports.pages import Page, all_pages
from chalicelib.ports.queues import EventQueue, JobQueue, ReceiptQueue, StepQueue, Timers
from chalicelib.ports.rate_limits import PacingStore, Rates, RateState, UsageLimits
from chalicelib.ports.statistics import Counters, FlowErrors, Overview, RecountParts, Statistics
from chalicelib.ports.webhooks import WebhookCaller, WebhookQueue, WebhookScheduler

__all__ = [
    "Balances",
    "Catalog",
    "ChannelStatus",
    "ChannelType",
    "Circuits",
    "Clock",
    "Consents",
    "ContactShards",
    "Contacts",
    "Counters",
    "DocumentSchedule",
    "DocumentVersions",
    "EventQueue",
    "Events",
    "Executions",
    "ExpectClaimedBy",
    "ExpectUnclaimed",
    "Files",
    "FlowBudgets",
    "FlowErrors",
    "JobQueue",
    "ListChunks",
    "MultipartFiles",
    "Overview",
    "PacingStore",
    "Page",
    "Ports",
    "RateState",
    "Rates",
    "ReceiptQueue",
    "RecountParts",
    "Save",
    "Statistics",
    "StepQueue",
    "StoredEvent",
    "Timers",
    "UsageLimits",
    "WebhookCaller",
    "WebhookQueue",
    "WebhookScheduler",
    "all_pages",
]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that every use case receives. `wiring.py` builds them for AWS; tests build them in memory."""

    clock: Clock
    catalog: Catalog
    versions: DocumentVersions
    chunks: ListChunks
    schedule: DocumentSchedule
    contacts: Contacts
    contact_shards: ContactShards
    consents: Consents
    events: Events
    event_queue: EventQueue
    receipt_queue: ReceiptQueue
    executions: Executions
    steps: StepQueue
    jobs: JobQueue
    timers: Timers
    statistics: Statistics
    recount_parts: RecountParts
    flow_errors: FlowErrors
    pacing: PacingStore
    circuits: Circuits
    rates: Rates
    balances: Balances
    budgets: FlowBudgets
    files: Files
    multipart_files: MultipartFiles
    usage_limits: UsageLimits
    webhook_scheduler: WebhookScheduler
    webhook_queue: WebhookQueue
    webhook_caller: WebhookCaller
    channel_types: Mapping[str, ChannelType]
    #: Returns the key that signs cursors and links and hashes API keys.
    secret: Callable[[], bytes]
    #: Base URL of the links in messages, without a trailing slash; empty if no links can be made.
    public_url: str = ""
    #: Requests per minute that one API key may make.
    calls_a_minute: int = 3_000
    memory: WorkerMemory = field(default_factory=WorkerMemory)
