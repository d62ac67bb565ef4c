"""What the use cases need of the world, as protocols; `aws/` and `providers/` implement them.

Every method may raise RetryLater when the service behind it is throttled or away.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pydantic import BaseModel

from chalicelib.model.base import StoredDocument
from chalicelib.model.channel_type import ChannelType as ChannelType
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.contact_shards import ShardSummary
from chalicelib.model.event import Event, Histories, HistoryQuery
from chalicelib.model.execution import DeliveryReceipt, Execution, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.model.queue_messages import Job, ScheduledStep
from chalicelib.model.worker_memory import WorkerMemory
from chalicelib.ports.balances import Balances as Balances
from chalicelib.ports.channel_stores import ChannelStatus as ChannelStatus
from chalicelib.ports.channel_stores import Circuits as Circuits
from chalicelib.ports.channel_stores import Rates as Rates
from chalicelib.ports.channel_stores import RateState as RateState
from chalicelib.ports.conditional_save import ExpectClaimedBy as ExpectClaimedBy
from chalicelib.ports.conditional_save import ExpectUnclaimed as ExpectUnclaimed
from chalicelib.ports.conditional_save import Save as Save
from chalicelib.ports.flow_stores import Counters as Counters
from chalicelib.ports.flow_stores import Overview as Overview
from chalicelib.ports.flow_stores import PacingStore as PacingStore
from chalicelib.ports.flow_stores import Statistics as Statistics
from chalicelib.ports.flow_stores import Timers as Timers
from chalicelib.ports.pages import Page as Page
from chalicelib.ports.pages import all_pages as all_pages
from chalicelib.ports.webhooks import WebhookCaller, WebhookQueue, WebhookScheduler

D = TypeVar("D", bound=StoredDocument)
V = TypeVar("V", bound=BaseModel)


class Clock(Protocol):
    """Two clocks: the engine's, which the laptop may run faster, and the real one of leases and provider timeouts."""

    #: How many times faster than real the engine's clock runs; 1 everywhere but on a laptop that hurries.
    speed: float

    def now(self) -> datetime:
        """The engine's time, aware, UTC."""

    def real(self) -> datetime:
        """Wall-clock time, aware, UTC."""

    def sleep(self, span: timedelta) -> None:
        """Waits this long by the engine's clock; at most two seconds are ever asked for."""


class Catalog(Protocol):
    """Documents by workspace, kind and uid, with versions and children. TooLarge for over 380,000 bytes."""

    def add(
        self,
        workspace: WorkspaceUid,
        document: StoredDocument,
        under: tuple[type[StoredDocument], str] | None = None,
        moving: Sequence[StoredDocument] = (),
    ) -> None:
        """Stores a new document (rev 0), and a pointer to it below a parent; Conflict when the uid is taken.

        `moving`: other documents that are saved in the same write; Conflict when one was saved by others meanwhile, so
        of two who add on the strength of what they read of it only one succeeds. TooLarge when one does not fit.
        """

    def find(self, workspace: WorkspaceUid, kind: type[D], uid: str, strong: bool = True) -> D | None:
        """The document, or None; unless `strong` it may lag behind writes, at half the price."""

    def get(self, workspace: WorkspaceUid, kind: type[D], uid: str) -> D:
        """Like find; NotFound when it is not there."""

    def find_many(self, workspace: WorkspaceUid, kind: type[D], uids: Sequence[str]) -> dict[str, D]:
        """Those that are there, by uid; strongly consistent."""

    def save(self, workspace: WorkspaceUid, document: D) -> D:
        """Replaces the document if its rev is still the stored one; returns it with the next rev. Conflict if not."""

    def remove(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str) -> None:
        """Deletes the document with its versions, children pointers and chunks; harmless when it is gone."""

    def page(
        self, workspace: WorkspaceUid, kind: type[D], where: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[D]:
        """Newest first, those whose marks equal `where` (a value "*part*" means contains). May lag behind writes."""

    def children(
        self,
        workspace: WorkspaceUid,
        parent: type[StoredDocument],
        uid: str,
        kind: type[D],
        limit: int,
        cursor: str | None,
    ) -> Page[D]:
        """Documents stored `under` this parent, newest first, strongly consistent."""

    def add_version(self, workspace: WorkspaceUid, document: D, version: int, body: BaseModel) -> D:
        """Stores an immutable version and saves its document in one transaction; Conflict as in save."""

    def find_version(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, version: int, body: type[V]
    ) -> V | None:
        """A version; may be cached for ever."""

    def versions(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, body: type[V]) -> tuple[V, ...]:
        """All versions, newest first."""

    def put_chunk(
        self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int, entries: Sequence[str]
    ) -> None:
        """Stores one part of a long list below a document (at most 2,000 entries); the same number replaces."""

    def save_with_chunks(self, workspace: WorkspaceUid, document: D, chunks: Mapping[int, Sequence[str]]) -> D:
        """Stores parts of its list and saves the document, all or nothing; Conflict as in save. At most 50 parts."""

    def get_chunk(self, workspace: WorkspaceUid, kind: type[StoredDocument], uid: str, number: int) -> tuple[str, ...]:
        """Reads one part; empty when it is gone."""

    def active(self, kind: type[D]) -> Iterator[tuple[WorkspaceUid, str]]:
        """Workspace and uid of all documents of a kind that are marked active, over all workspaces; for the clock."""

    def due(self, kind: type[D], before: datetime) -> Iterator[tuple[WorkspaceUid, str, datetime]]:
        """Workspace, uid and moment of all that have `due_at` up to this moment, the earliest first; may lag."""


class Contacts(Protocol):
    """Contacts with their unique look-ups. TooLarge for over 380,000 bytes."""

    def find_many(self, workspace: WorkspaceUid, uids: Sequence[ContactUid], strong: bool) -> dict[ContactUid, Contact]:
        """Those that are there."""

    def find_by(self, workspace: WorkspaceUid, lookups: Sequence[str]) -> dict[str, ContactUid]:
        """Which contacts hold these look-up strings (`Contact.lookups`)."""

    def add(
        self,
        workspace: WorkspaceUid,
        contact: Contact,
        news: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> None:
        """Stores a new contact with its look-ups in one transaction; Conflict when the uid or a look-up is taken.

        `news`: events of the contact that are stored with it, all or nothing, as untold; seven at most.
        `consents`: what it said, stored with it likewise; sixty at most.
        """

    def add_many(
        self,
        workspace: WorkspaceUid,
        contacts: Sequence[Contact],
        news: Mapping[str, Sequence[Event]] | None = None,
        consents: Mapping[str, Sequence[ConsentRecord]] | None = None,
    ) -> tuple[ContactUid, ...]:
        """Like add for up to 25 that share no look-up, together if it can be; the uids that Conflict kept out.

        `news` and `consents` by the contact's uid.
        """

    def save(
        self,
        workspace: WorkspaceUid,
        before: Contact,
        after: Contact,
        news: Sequence[Event] = (),
        consents: Sequence[ConsentRecord] = (),
    ) -> Contact:
        """Replaces it and moves its look-ups if its rev is still the stored one; Conflict if not or if one is taken.

        `news` and `consents` as in add.
        """

    def save_many(self, workspace: WorkspaceUid, changes: Sequence[tuple[Contact, Contact]]) -> tuple[bool, ...]:
        """Like save for many contacts, each before and after, of which none moves a look-up; False for a Conflict."""

    def remove(self, workspace: WorkspaceUid, contact: Contact) -> None:
        """Deletes contact and look-ups; harmless when they are gone."""

    def page(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[Contact]:
        """A page over all contacts of the workspace, in no particular order, each once."""

    def page_shard(self, workspace: WorkspaceUid, shard: int, limit: int, cursor: str | None) -> Page[Contact]:
        """Of one shard, from 0 to CONTACT_SHARDS - 1, by uid, strongly consistent. The last page may be empty."""

    def survey(self, workspace: WorkspaceUid, shard: int) -> ShardSummary:
        """Counts a shard without reading its contacts; about 10 ms a megabyte."""


class Consents(Protocol):
    """What contacts said about being written to, each time; written by Contacts, together with the contact."""

    def page(self, workspace: WorkspaceUid, contact: ContactUid, limit: int, cursor: str | None) -> Page[ConsentRecord]:
        """Of one contact, newest first. Strongly consistent."""

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Deletes a contact's records; harmless when there are none."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A reported event; no news is one that is finished, or whose id another event has."""

    event: Event
    is_news: bool


class Events(Protocol):
    """What contacts did. Kept for EVENT_LIFE, each id once in a workspace."""

    def add_many(self, workspace: WorkspaceUid, events: Sequence[Event]) -> tuple[StoredEvent, ...]:
        """Stores those that are new, in order; it is news until `finish`, however often it is reported."""

    def finish(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        """Everything that they lead to has been done."""

    def page(
        self, workspace: WorkspaceUid, contact: ContactUid, names: frozenset[str] | None, limit: int, cursor: str | None
    ) -> Page[Event]:
        """Of one contact, newest first: all, or those of these names. Strongly consistent."""

    def find_many(self, workspace: WorkspaceUid, contacts: Sequence[ContactUid], wanted: HistoryQuery) -> Histories:
        """What each of these contacts did of what is wanted, newest first. Strongly consistent."""

    def untold(self, before: datetime) -> Iterator[tuple[WorkspaceUid, Event]]:
        """Stored with a change of their contact before this moment and not reported by `add_many` since; may lag."""

    def remove_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Deletes a contact's history; harmless when there is none."""

    def blank_all(self, workspace: WorkspaceUid, contact: ContactUid) -> None:
        """Of a contact's history names and times stay, properties and ids go; nobody is told of it any more."""


class EventQueue(Protocol):
    """Events on their way to what listens to them."""

    def send(self, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
        """Each arrives at least once."""


class ReceiptQueue(Protocol):
    """What providers report, on its way to the rows."""

    def send(self, body: str, delay: timedelta = timedelta(0)) -> None:
        """The very text, at least once. TooLarge above MAX_QUEUED_BYTES; at most 15 minutes of the real clock."""


class Executions(Protocol):
    """The rows."""

    def find_many(self, keys: Sequence[ExecutionKey], shards: int, strong: bool) -> dict[ExecutionKey, Execution]:
        """Those that are there; unless `strong` it may lag behind writes, at half the price."""

    def entries_of(
        self, workspace: WorkspaceUid, flow: FlowUid, contact: ContactUid, shards: int, limit: int
    ) -> tuple[Execution, ...]:
        """The contact's walks through the flow, the newest entry first; strongly consistent."""

    def enrol_many(self, rows: Sequence[Execution], shards: int) -> tuple[ExecutionKey, ...]:
        """Inserts rows that are not there yet and returns the keys of those; never touches one that is."""

    def save_many(self, saves: Sequence[Save], shards: int) -> tuple[bool | None, ...]:
        """One conditional write each, in order; False where the condition failed (own lost answers count as held).

        None where the store has not decided: it is throttled, or its answers were lost, and the row may be written.
        """

    def put_receipt(
        self, key: ExecutionKey, shards: int, node: NodeId, receipt: DeliveryReceipt
    ) -> tuple[Execution, Execution] | None:
        """Climbs the receipt of one message; the row before and after, or None when it is known, lower, or no row."""

    def page(
        self, workspace: WorkspaceUid, flow: FlowUid, shard: int, limit: int, cursor: str | None
    ) -> Page[Execution]:
        """Rows of one shard in key order, strongly consistent."""

    def flows_of(self, workspace: WorkspaceUid, contact: ContactUid) -> tuple[FlowUid, ...]:
        """Flows in which the contact has a row, newest first; may lag."""

    def remove_many(self, keys: Sequence[ExecutionKey], shards: int) -> None:
        """Deletes rows; harmless when they are gone."""


class StepQueue(Protocol):
    """The queue of steps."""

    def send(self, hints: Sequence[ScheduledStep], now: datetime) -> None:
        """Each at its due time if that is at most 15 minutes ahead (never earlier, less than a second late)."""

    def backlog(self) -> int:
        """About how many hints are visible and waiting."""


class JobQueue(Protocol):
    """The queue of background jobs."""

    def send(self, job: Job, delay: timedelta = timedelta(0)) -> None:
        """At most 15 minutes of delay."""


class UsageLimits(Protocol):
    """Limits by time."""

    def take(self, workspace: WorkspaceUid, name: str, until: datetime, count: int, limit: int) -> bool:
        """Takes `count` of the `limit` of the window that ends at `until`; False, and nothing, when it is used up."""


class Files(Protocol):
    """Imports, exports and rejected rows."""

    def put(self, name: str, body: bytes) -> None:
        """Stores or replaces."""

    def get(self, name: str) -> bytes:
        """NotFound when it is not there."""

    def size(self, name: str) -> int:
        """Its bytes, without reading them; NotFound."""

    def lines(self, name: str, offset: int) -> Iterator[bytes]:
        """Lines from a byte offset on, with their ends; one over 64 KiB in pieces of that. NotFound at the first."""

    def link(self, name: str, seconds: int) -> str:
        """A presigned URL to read it."""

    def upload_link(self, name: str, seconds: int) -> str:
        """A presigned URL to put it, of any size up to 5 GB."""

    def begin(self, name: str) -> str:
        """Begins a file that is written in parts and gives its token; nothing is to be read before `finish`."""

    def put_part(self, name: str, token: str, number: int, body: bytes) -> str:
        """Stores or replaces part `number` (from 1) and gives its mark; at least 5 MiB, but for the last."""

    def finish(self, name: str, token: str, marks: Sequence[str]) -> None:
        """Makes the parts, whose marks are given in order, one file. Harmless twice, but NotFound after a while."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the use cases are given; built once in `wiring.py`, or of fakes in tests."""

    clock: Clock
    catalog: Catalog
    contacts: Contacts
    consents: Consents
    events: Events
    event_queue: EventQueue
    receipt_queue: ReceiptQueue
    executions: Executions
    steps: StepQueue
    jobs: JobQueue
    timers: Timers
    statistics: Statistics
    gates: PacingStore
    circuits: Circuits
    rates: Rates
    balances: Balances
    files: Files
    allowances: UsageLimits
    webhook_desk: WebhookScheduler
    webhook_queue: WebhookQueue
    webhook_caller: WebhookCaller
    channel_types: Mapping[str, ChannelType]
    #: Key of what Carillon signs and hashes (cursors, API keys).
    secret: Callable[[], bytes]
    #: What links in messages begin with, without a slash at the end; empty where no links can be made.
    public_url: str = ""
    #: Of one API key.
    calls_a_minute: int = 3_000
    memory: WorkerMemory = field(default_factory=WorkerMemory)
