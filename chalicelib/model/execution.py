"""Executions: one contact in one flow. The stored execution is authoritative; queues and counters are derived."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pydantic import JsonValue

from chalicelib.model.ids import AttemptId, ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid


class ExecutionStatus(StrEnum):
    """Status of an execution. The last three are final."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


OPEN = frozenset({ExecutionStatus.PENDING, ExecutionStatus.PROCESSING})


class MessageOutcome(StrEnum):
    """Stored outcome of one SEND."""

    SENT = "sent"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    FAILED = "failed"


class Engagement(StrEnum):
    """State of a message as reported by the provider, in ascending order. The last three are final failures."""

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
#: A report of delivery, earlier or later, replaces a failure that may pass.
_SOFT_RANK = 3


@dataclass(frozen=True, slots=True)
class ExecutionKey:
    """Key of an execution. `entry` counts the contact's entries into the flow of an event campaign, from 1."""

    workspace: WorkspaceUid
    flow: FlowUid
    contact: ContactUid
    entry: int = 1

    @property
    def execution_id(self) -> str:
        """Return contact and entry as one sortable id within the flow: `ann`, for the second entry `ann#000002`."""
        return self.contact if self.entry == 1 else f"{self.contact}#{self.entry:06d}"


def parse_execution_id(workspace: WorkspaceUid, flow: FlowUid, execution_id: str) -> ExecutionKey:
    """Parse an execution id. ValueError for a malformed one."""
    contact, _, entry = execution_id.partition("#")
    return ExecutionKey(workspace, flow, ContactUid(contact), int(entry or "1"))


@dataclass(frozen=True, slots=True)
class Claim:
    """Reservation of the send at `node` for the attempt `by`, until the lease ends (real clock)."""

    by: AttemptId
    until: datetime
    node: NodeId
    #: What the message costs if it is sent, in units of `model/money`.
    cost: int = 0


@dataclass(frozen=True, slots=True)
class MessageResult:
    """Result of one SEND of an execution. `cost` is in units of 10⁻⁴ of the currency's minor unit."""

    outcome: MessageOutcome
    at: datetime
    attempts: int = 1
    channel: str = ""
    reason: str | None = None
    provider_id: str | None = None
    cost: int = 0
    #: The send option that was used: 0 is the step's own channel, 1 its fallback.
    option: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The highest-ranking delivery report of one message."""

    engagement: Engagement
    at: datetime
    #: A failure that may pass.
    is_soft: bool = False

    @property
    def rank(self) -> int:
        """Return the rank.

        A report counts only if it ranks above the stored one; a late receipt still replaces a timeout.
        """
        return _SOFT_RANK if self.is_soft else _RANKS[self.engagement]


@dataclass(frozen=True, slots=True)
class TriggeringEvent:
    """Id and properties of the event that started an execution, for templates and conditions."""

    event: str
    properties: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class NodeVisit:
    """A node on the path of an execution: its exit, and when the execution entered and left it."""

    node: NodeId
    exit: str
    entered: datetime
    left: datetime
    #: The comparison that decided the exit, if any.
    why: str = ""


_NO_RESULTS: Mapping[NodeId, MessageResult] = MappingProxyType({})
_NO_RECEIPTS: Mapping[NodeId, DeliveryReceipt] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution. `seq` counts the saved steps; a step message with a smaller number is out of date."""

    key: ExecutionKey
    status: ExecutionStatus
    seq: int
    node: NodeId | None
    version: int
    created: datetime
    updated: datetime
    #: When the execution reached `node`; a WAIT counts from here.
    entered: datetime
    #: Earliest time of the next step, after a WAIT or before a retry; None means immediately.
    due: datetime | None = None
    #: True in a WAIT once its end is decided: at `due` the execution leaves by `next`.
    waiting: bool = False
    #: Attempts used at `node`.
    attempt: int = 0
    #: The first send option at `node` that may still be used. Earlier ones were refused or do not apply.
    option: int = 0
    #: The response to an attempt with this option was lost. This option may be retried; no other may replace it.
    answer_lost: bool = False
    #: Cost of that attempt. It counts as spent unless the provider refuses the message in the end. A retry is charged
    #: only the difference.
    paid: int = 0
    claim: Claim | None = None
    results: Mapping[NodeId, MessageResult] = field(default_factory=lambda: _NO_RESULTS)
    receipts: Mapping[NodeId, DeliveryReceipt] = field(default_factory=lambda: _NO_RECEIPTS)
    path: tuple[NodeVisit, ...] = ()
    #: Why the execution failed or was skipped.
    reason: str | None = None
    #: Faults of code or data at this step; after the fifth the execution fails with `poison`.
    faults: int = 0
    #: A retry of a single node: the execution ends after it.
    single_node: bool = False
    cause: TriggeringEvent | None = None

    @property
    def is_open(self) -> bool:
        """Report whether the execution can still proceed."""
        return self.status in OPEN

    @property
    def properties(self) -> Mapping[str, JsonValue]:
        """Return the properties of the triggering event; empty if no event started the execution."""
        return self.cause.properties if self.cause else {}

    @property
    def held(self) -> int:
        """Return the charge to the flow's budget for the message at `node` while it has no result."""
        return max(self.paid, self.claim.cost if self.claim else 0)

    def message_uid(self, node: NodeId) -> MessageUid:
        """Return the token of the message at `node`. Campaigns have no loops, so each entry visits a node once."""
        option = self.results[node].option if node in self.results else 0
        return MessageUid(self.key.workspace, self.key.flow, self.key.contact, node, self.key.entry, option)

    def with_result(self, node: NodeId, result: MessageResult) -> "Execution":
        """Return the execution with the result of a SEND; from now on the result states what was spent."""
        return replace(self, results={**self.results, node: result}, paid=0)

    def anonymised(self) -> "Execution":
        """Return the execution without personal data, for an erased contact. States, times and counts stay."""
        path = tuple(replace(visit, why="") for visit in self.path)
        results = {node: replace(result, provider_id=None) for node, result in self.results.items()}
        return replace(self, cause=None, path=path, results=results)

    def finished(self, status: ExecutionStatus, reason: str | None, now: datetime) -> "Execution":
        """Return the ended execution. A message that an attempt may have delivered gets the outcome `unknown`."""
        execution = self
        if self.answer_lost and self.node and self.node not in self.results:
            execution = self.with_result(self.node, self.unknown_result(now))
        return replace(execution, status=status, reason=reason, due=None, waiting=False, claim=None, updated=now)

    def unknown_result(self, now: datetime, channel: str = "") -> MessageResult:
        """Return the result of a message that is not retried after its last response was lost."""
        return MessageResult(
            MessageOutcome.UNKNOWN,
            now,
            attempts=self.attempt,
            channel=channel,
            reason="answer_lost",
            cost=self.held,
            option=self.option,
        )


def mark_unknown(execution: Execution, node: NodeId, now: datetime) -> Execution:
    """Return the execution with the message of an expired claim set to `unknown`, so that it is not sent again.

    Applies under every `LostResponsePolicy`.
    """
    tries = execution.attempt + 1
    result = MessageResult(
        MessageOutcome.UNKNOWN, now, attempts=tries, reason="worker_lost", cost=execution.held, option=execution.option
    )
    return replace(execution.with_result(node, result), claim=None, node=node)
