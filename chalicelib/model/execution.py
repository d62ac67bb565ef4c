"""An execution: one contact's walk through one flow, as the row that is the truth about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pydantic import JsonValue

from chalicelib.model.ids import AttemptId, ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid


class ExecutionStatus(StrEnum):
    """Where an execution stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


OPEN = frozenset({ExecutionStatus.PENDING, ExecutionStatus.PROCESSING})


class MessageOutcome(StrEnum):
    """What became of one SEND on our side."""

    SENT = "sent"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    FAILED = "failed"


class Engagement(StrEnum):
    """What the provider reports of a message later, in climbing order; the last three are final failures."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    TIMED_OUT = "timed_out"
    BOUNCED = "bounced"
    FAILED = "failed"


_RANKS = {
    Engagement.SENT: 1,
    Engagement.TIMED_OUT: 2,
    Engagement.DELIVERED: 4,
    Engagement.OPENED: 5,
    Engagement.CLICKED: 6,
    Engagement.REPLIED: 7,
    Engagement.BOUNCED: 8,
    Engagement.FAILED: 9,
}
#: A failure that may pass gives way to whatever proves that the message arrived, before it or after it.
_SOFT_RANK = 3


@dataclass(frozen=True, slots=True)
class ExecutionKey:
    """Which row; `entry` counts the times that the contact came into an event campaign's flow, from 1."""

    workspace: WorkspaceUid
    flow: FlowUid
    contact: ContactUid
    entry: int = 1

    @property
    def execution_id(self) -> str:
        """Contact and entry in one word, within the flow: `ann`, and at the second time `ann#000002`; they sort so."""
        return self.contact if self.entry == 1 else f"{self.contact}#{self.entry:06d}"


def parse_execution_id(workspace: WorkspaceUid, flow: FlowUid, execution_id: str) -> ExecutionKey:
    """The key whose word this is; ValueError when it is none."""
    contact, _, entry = execution_id.partition("#")
    return ExecutionKey(workspace, flow, ContactUid(contact), int(entry or "1"))


@dataclass(frozen=True, slots=True)
class Claim:
    """Makes the worker with attempt `by` the owner of the send at `node` until the lease ends (real clock)."""

    by: AttemptId
    until: datetime
    node: NodeId
    #: Of the message, should it have been sent.
    cost: int = 0


@dataclass(frozen=True, slots=True)
class MessageResult:
    """One SEND of one execution. `cost` is in units of 10⁻⁴ of the currency's minor unit."""

    outcome: MessageOutcome
    at: datetime
    attempts: int = 1
    channel: str = ""
    reason: str | None = None
    provider_id: str | None = None
    cost: int = 0
    #: Which of the SEND's offers it was: 0 its own channel, 1 its fallback.
    offer: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The highest that the provider has reported of one message."""

    engagement: Engagement
    at: datetime
    #: A failure that may pass.
    is_soft: bool = False

    @property
    def rank(self) -> int:
        """A report counts only if it ranks above what is known. A late receipt still beats a timeout."""
        return _SOFT_RANK if self.is_soft else _RANKS[self.engagement]


@dataclass(frozen=True, slots=True)
class TriggeringEvent:
    """The event that started a walk: its id and its properties, which templates and conditions may look at."""

    event: str
    properties: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class NodeVisit:
    """One node that the walk has passed: by which exit, when it came and when it left."""

    node: NodeId
    exit: str
    entered: datetime
    left: datetime
    #: The comparison that decided, where one did.
    why: str = ""


_NO_RESULTS: Mapping[NodeId, MessageResult] = MappingProxyType({})
_NO_RECEIPTS: Mapping[NodeId, DeliveryReceipt] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Execution:
    """The row. `seq` counts the saved steps: a hint with a smaller number is old news."""

    key: ExecutionKey
    status: ExecutionStatus
    seq: int
    node: NodeId | None
    version: int
    created: datetime
    updated: datetime
    #: When the walk came to `node`; a WAIT counts from here.
    entered: datetime
    #: Not before this moment (a WAIT, a retry); None is at once.
    due: datetime | None = None
    #: Inside a WAIT that has been decided: at `due` the walk leaves by `next`.
    asleep: bool = False
    #: Attempts used at `node`.
    attempt: int = 0
    #: The first of the offers at `node` that may still be made: those before it were refused, or are not for them.
    offer: int = 0
    #: The answer to a try of this offer was lost: it may be tried again, and no other may take its place.
    unsure: bool = False
    #: What that try has cost. It is spent, unless the message is refused after all; another try pays what it lacks.
    paid: int = 0
    claim: Claim | None = None
    results: Mapping[NodeId, MessageResult] = field(default_factory=lambda: _NO_RESULTS)
    receipts: Mapping[NodeId, DeliveryReceipt] = field(default_factory=lambda: _NO_RECEIPTS)
    path: tuple[NodeVisit, ...] = ()
    #: Why it failed or was skipped.
    reason: str | None = None
    #: Faults of code or data met at this step; the fifth makes it failed(poison).
    faults: int = 0
    #: A retry of one node: the walk stops after it.
    only: bool = False
    cause: TriggeringEvent | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still go on."""
        return self.status in OPEN

    @property
    def properties(self) -> Mapping[str, JsonValue]:
        """Of the event that started the walk, if one did."""
        return self.cause.properties if self.cause else {}

    @property
    def held(self) -> int:
        """What is taken of the flow's purse for the message at `node` before it has a result."""
        return max(self.paid, self.claim.cost if self.claim else 0)

    def message_uid(self, node: NodeId) -> MessageUid:
        """The token of the message at `node`. Loops cannot be built, so each entry visits a node once."""
        offer = self.results[node].offer if node in self.results else 0
        return MessageUid(self.key.workspace, self.key.flow, self.key.contact, node, self.key.entry, offer)

    def with_result(self, node: NodeId, result: MessageResult) -> "Execution":
        """The row with one more SEND decided; what is spent says the result from now on."""
        return replace(self, results={**self.results, node: result}, paid=0)

    def forgotten(self) -> "Execution":
        """The row of an erased contact: states, times and counts, and nothing that the contact was or did."""
        path = tuple(replace(visit, why="") for visit in self.path)
        results = {node: replace(result, provider_id=None) for node, result in self.results.items()}
        return replace(self, cause=None, path=path, results=results)

    def finished(self, status: ExecutionStatus, reason: str | None, now: datetime) -> "Execution":
        """The row at its end; a message of which a try may have been taken stays visible as unknown."""
        row = self
        if self.unsure and self.node and self.node not in self.results:
            row = self.with_result(self.node, self.unanswered(now))
        return replace(row, status=status, reason=reason, due=None, asleep=False, claim=None, updated=now)

    def unanswered(self, now: datetime, channel: str = "") -> MessageResult:
        """What is known of the message at `node` when the answer to its last try was lost and no other try follows."""
        return MessageResult(
            MessageOutcome.UNKNOWN,
            now,
            attempts=self.attempt,
            channel=channel,
            reason="answer_lost",
            cost=self.held,
            offer=self.offer,
        )


def mark_unknown(row: Execution, node: NodeId, now: datetime) -> Execution:
    """The row with a claim that ran out turned into an unknown message, whatever the policy: nobody sends it again."""
    tries = row.attempt + 1
    result = MessageResult(
        MessageOutcome.UNKNOWN, now, attempts=tries, reason="worker_lost", cost=row.held, offer=row.offer
    )
    return replace(row.with_result(node, result), claim=None, node=node)
