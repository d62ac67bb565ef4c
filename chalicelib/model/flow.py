"""A flow: one run of one campaign version over contacts, its configuration and its states."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from chalicelib.errors import Conflict
from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.pause import PauseCause, PausedBy, StoredPauseReason

#: Rows of one flow are spread over shards of about this many contacts, at most MAX_SHARDS. A count takes a shard at a
#: time and has 15 seconds for it, in which a function of 1 GB counts 26,000 rows: with these a flow of 100 million can
#: be counted, and so end.
CONTACTS_PER_SHARD = 5_000
MAX_SHARDS = 4_096


class FlowStatus(StrEnum):
    """Where a flow stands; the words of the API."""

    DRAFT = "draft"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL_COMPLETED = "partial_completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"


S = FlowStatus
ENDED = frozenset({S.COMPLETED, S.PARTIAL_COMPLETED, S.CANCELLED, S.FAILED, S.TIMEOUT})
#: What an operator may set, by where the flow stands. `queued` asked of a paused flow is the same wish as `running`.
OPERATOR_MOVES: Mapping[FlowStatus, tuple[FlowStatus, ...]] = {
    S.DRAFT: (S.QUEUED, S.RUNNING, S.CANCELLED),
    S.QUEUED: (S.PAUSED, S.CANCELLED, S.DRAFT),
    S.RUNNING: (S.PAUSED, S.CANCELLED),
    S.PAUSED: (S.RUNNING, S.QUEUED, S.CANCELLED),
    S.ERROR: (S.RUNNING, S.QUEUED, S.CANCELLED),
}
#: What the engine itself may do.
ENGINE_MOVES: Mapping[FlowStatus, tuple[FlowStatus, ...]] = {
    S.QUEUED: (S.RUNNING,),
    S.RUNNING: (S.PAUSED, S.ERROR, S.COMPLETED, S.PARTIAL_COMPLETED, S.FAILED, S.TIMEOUT),
}
DELETABLE = frozenset({S.DRAFT, S.PAUSED, S.ERROR}) | ENDED


class IllegalTransition(Conflict):
    """The status table has no such move."""

    code = "illegal_transition"

    def __init__(self, current: FlowStatus, wanted: FlowStatus) -> None:
        allowed = OPERATOR_MOVES.get(current, ())
        super().__init__(f"A flow that is {current} cannot become {wanted}", current, allowed)


Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]


class FlowConfiguration(StrictModel):
    """Pacing, retries and timeouts of one flow, in milliseconds."""

    pause_between_contacts_ms: Milliseconds = 0
    pause_between_contacts_salt_ms: Milliseconds = 0
    max_concurrent_messages: Annotated[int, Field(ge=1, le=10)] | None = None
    max_retries: Annotated[int, Field(ge=0, le=20)] = 3
    retry_delay_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 5_000
    timeout_ms: Annotated[int, Field(ge=1_000, le=604_800_000)] = 300_000

    @model_validator(mode="after")
    def _salt_fits(self) -> "FlowConfiguration":
        if self.pause_between_contacts_salt_ms > self.pause_between_contacts_ms:
            raise ValueError(
                f"pauseBetweenContactsSaltMs ({self.pause_between_contacts_salt_ms}) may not be larger than "
                f"pauseBetweenContactsMs ({self.pause_between_contacts_ms})"
            )
        return self

    @property
    def lanes(self) -> int | None:
        """How many sends may be under way at once; None is as many as the channel allows."""
        if self.max_concurrent_messages is None and self.pause_between_contacts_ms:
            return 1
        return self.max_concurrent_messages

    @property
    def pause(self) -> timedelta:
        """Base pause between the starts of two sends of one lane."""
        return timedelta(milliseconds=self.pause_between_contacts_ms)

    @property
    def salt(self) -> timedelta:
        """Largest deviation from the base pause."""
        return timedelta(milliseconds=self.pause_between_contacts_salt_ms)

    @property
    def retry_delay(self) -> timedelta:
        """Shortest delay before a retry."""
        return timedelta(milliseconds=self.retry_delay_ms)

    @property
    def timeout(self) -> timedelta:
        """Longest wait for a delivery receipt after acceptance."""
        return timedelta(milliseconds=self.timeout_ms)


class RetryOf(StrictModel):
    """Of which flow, and of which of its executions, this flow is the retry."""

    flow_uid: Uid
    of: Literal["failed", "unknown", "skipped"]
    reason: str | None = None
    #: Only messages of this node, or only walks that failed there; None is wherever it was.
    node_id: str | None = None
    #: Only the one node is run again; so also in a retry of such a retry, since the walk went on in the first flow.
    only: bool = False

    def overlaps(self, other: "RetryOf") -> bool:
        """Whether both may write to the same contact about the same message."""
        same = (self.flow_uid, self.of) == (other.flow_uid, other.of)
        narrowed = ((self.reason, other.reason), (self.node_id, other.node_id))
        return same and all(ours == theirs or None in {ours, theirs} for ours, theirs in narrowed)


class Flow(StoredDocument):
    """The control item of a flow: the one write that pause, resume and cancel are."""

    kind: ClassVar[str] = "FLOW"

    description: str = ""
    status: FlowStatus = FlowStatus.DRAFT
    channel_uid: str
    campaign_uid: str
    campaign_version: int | None = None
    segment_uid: str | None = None
    trigger: str = "api"
    retry_of: RetryOf | None = None
    #: Whom a retry is for is not stored but found in the rows of the flow that it retries, a part for each shard.
    from_rows: bool = False
    #: Whether its messages are paid from the workspace's balance; settled when it starts.
    prepaid: bool = False
    configuration: FlowConfiguration = FlowConfiguration()
    contact_count: int = 0
    duplicates_removed: int = 0
    #: How the audience is stored: `chunks` lists of contacts, of which `expanded_chunks` are enrolled.
    chunks: int = 0
    expanded_chunks: tuple[int, ...] = ()
    shards: int = 1
    #: Counts starts and resumes: dispatch jobs and pacing slots of an older epoch are void.
    epoch: int = 0
    #: Which generation of statistics counts; a recount makes the next one.
    stats_epoch: int = 0
    pause: Annotated[StoredPauseReason, Field(alias="pauseReason")] = None
    #: Of a flow that a channel's circuit has paused.
    paused_by: PausedBy | None = None
    end_reason: str | None = None
    queued_at: Moment | None = None
    started_at: Moment | None = None
    paused_at: Moment | None = None
    completed_at: Moment | None = None
    #: Set once every row of a cancelled flow is over.
    settled_at: Moment | None = None
    #: It has no audience but takes in whom an event names, until it is closed.
    open_ended: bool = False
    closed_at: Moment | None = None
    #: Set once the audience is enrolled to the last contact.
    expanded_at: Moment | None = None
    #: The watchdog's memory: how many movements it had seen, when it saw the last, when it looks again.
    seen_movements: int = 0
    seen_at: Moment | None = None
    look_again_at: Moment | None = None
    #: When the watchdog has it counted once more, though it is over: receipts came under the last count.
    recount_at: Moment | None = None
    #: Open executions that the last count found long past their time, with nobody at work on them.
    stuck: int = 0

    @property
    def pause_cause(self) -> PauseCause | None:
        """Cause of the current pause or error."""
        return self.pause.cause if self.pause else None

    @property
    def pause_reason(self) -> str | None:
        """Cause and detail of the current pause or error, as the API shows them."""
        return self.pause.text if self.pause else None

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in ENDED

    @property
    def may_end(self) -> bool:
        """Whether it ends when all its executions are over."""
        return self.status is FlowStatus.RUNNING and not self.takes_entrants

    @property
    def takes_entrants(self) -> bool:
        """Whether events still lead contacts into it."""
        return self.open_ended and self.closed_at is None and not self.is_over

    @property
    def is_expanded(self) -> bool:
        """Whether every contact of the audience has its row."""
        return self.expanded_at is not None

    @property
    def is_found(self) -> bool:
        """Whether its audience is looked for by the jobs that enrol it, so that its size is not known before."""
        return self.segment_uid is not None or self.from_rows

    def marks(self) -> Mapping[str, str]:
        marks = {"status": str(self.status), "campaignUid": self.campaign_uid, "channelUid": self.channel_uid}
        return marks | ({"segmentUid": self.segment_uid} if self.segment_uid else {})

    @property
    def is_active(self) -> bool:
        """The clock looks after what is under way, and after flows that are over and to be counted once more."""
        return self.is_under_way or (self.is_over and self.recount_at is not None)

    @property
    def is_under_way(self) -> bool:
        """Queued, running, or cancelled and not settled."""
        return self.status in {S.QUEUED, S.RUNNING} or (self.status is S.CANCELLED and self.settled_at is None)

    def check_operator_move(self, wanted: FlowStatus) -> None:
        """Raises IllegalTransition with what would be allowed."""
        if wanted not in OPERATOR_MOVES.get(self.status, ()):
            raise IllegalTransition(self.status, wanted)

    def check_engine_move(self, wanted: FlowStatus) -> None:
        """Raises IllegalTransition: somebody moved the flow meanwhile."""
        if wanted not in ENGINE_MOVES.get(self.status, ()):
            raise IllegalTransition(self.status, wanted)
