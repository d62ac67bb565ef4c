"""Flows: one run of a campaign version over contacts, with its configuration, its states and its transitions."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chalicelib.errors import Conflict
from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.pause import PauseCause, PausedBy, PauseReason, StoredPauseReason

#: Contacts per shard of a flow's executions, and the maximum number of shards. A recount has 15 s per shard. A function
#: of 1 GB counts 26,000 executions in 15 s, so a flow of 100 million contacts can be counted and completed.
CONTACTS_PER_SHARD = 5_000
MAX_SHARDS = 4_096


class FlowStatus(StrEnum):
    """Status of a flow, as the API states it."""

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
#: The statuses that an operator may set, by current status. For a paused flow, `queued` and `running` both mean resume.
OPERATOR_MOVES: Mapping[FlowStatus, tuple[FlowStatus, ...]] = {
    S.DRAFT: (S.QUEUED, S.RUNNING, S.CANCELLED),
    S.QUEUED: (S.PAUSED, S.CANCELLED, S.DRAFT),
    S.RUNNING: (S.PAUSED, S.CANCELLED),
    S.PAUSED: (S.RUNNING, S.QUEUED, S.CANCELLED),
    S.ERROR: (S.RUNNING, S.QUEUED, S.CANCELLED),
}
#: The statuses that the engine may set on its own, by current status.
ENGINE_MOVES: Mapping[FlowStatus, tuple[FlowStatus, ...]] = {
    S.QUEUED: (S.RUNNING,),
    S.RUNNING: (S.PAUSED, S.ERROR, S.COMPLETED, S.PARTIAL_COMPLETED, S.FAILED, S.TIMEOUT),
}
DELETABLE = frozenset({S.DRAFT, S.PAUSED, S.ERROR}) | ENDED
#: `endReason` in the API. A flow that completed in full has none.
_END_REASONS: Mapping[FlowStatus, str] = {
    S.CANCELLED: "cancelled",
    S.PARTIAL_COMPLETED: "some_not_completed",
    S.FAILED: "all_failed",
    S.TIMEOUT: "all_timed_out",
}


class IllegalTransition(Conflict):
    """The status table does not allow the transition."""

    code = "illegal_transition"

    def __init__(self, current: FlowStatus, wanted: FlowStatus) -> None:
        allowed = OPERATOR_MOVES.get(current, ())
        super().__init__(f"A flow that is {current} cannot become {wanted}", current, allowed)


class RetryOf(StrictModel):
    """The selection of a retry: the retried flow, and its executions or messages to run again."""

    flow_uid: Uid
    """Flow that is retried."""
    of: Literal["failed", "unknown", "skipped"]
    """Outcome that is retried: `failed`, `unknown` or `skipped`."""
    reason: str | None = None
    """Only executions or messages with this failure or skip code; null means any."""
    node_id: str | None = None
    """Only messages of this step, or only executions that failed there; null means any step."""
    #: Only one node runs again. A retry of this retry also runs one node: the first flow ran the rest of the path.
    only: bool = False
    """Whether only one step runs again."""

    def overlaps(self, other: "RetryOf") -> bool:
        """Report whether both retries may send the same message to the same contact."""
        same = (self.flow_uid, self.of) == (other.flow_uid, other.of)
        narrowed = ((self.reason, other.reason), (self.node_id, other.node_id))
        return same and all(ours == theirs or None in {ours, theirs} for ours, theirs in narrowed)


class Flow(StoredDocument):
    """A stored flow. Start, pause, resume and cancel are each one conditional write of this document."""

    kind: ClassVar[str] = "FLOW"

    description: str = ""
    status: FlowStatus = FlowStatus.DRAFT
    channel_uid: str
    campaign_uid: str
    campaign_version: int | None = None
    segment_uid: str | None = None
    trigger: str = "api"
    retry_of: RetryOf | None = None
    #: The retried executions are not stored with the flow. Its enrolment jobs find them, one job for each shard of the
    #: retried flow.
    from_rows: bool = False
    #: Messages are charged to the workspace's balance. Decided when the flow starts.
    prepaid: bool = False
    configuration: FlowConfiguration = FlowConfiguration()
    contact_count: int = 0
    duplicates_removed: int = 0
    #: The audience is stored in `chunks` lists of contacts; `expanded_chunks` of them are enrolled.
    chunks: int = 0
    expanded_chunks: tuple[int, ...] = ()
    shards: int = 1
    #: Counts starts and resumes. Dispatch jobs and pacing slots of an earlier epoch are void.
    epoch: int = 0
    #: The current epoch of the statistics. Each recount starts the next one.
    stats_epoch: int = 0
    pause: Annotated[StoredPauseReason, Field(alias="pauseReason")] = None
    #: The open circuit that paused the flow, if one did.
    paused_by: PausedBy | None = None
    end_reason: str | None = None
    queued_at: Moment | None = None
    started_at: Moment | None = None
    paused_at: Moment | None = None
    completed_at: Moment | None = None
    #: When all executions of a cancelled flow had ended.
    settled_at: Moment | None = None
    #: The flow has no audience. Events enter contacts until it is closed.
    open_ended: bool = False
    closed_at: Moment | None = None
    #: When the last contact of the audience was enrolled.
    expanded_at: Moment | None = None
    #: State of the watchdog: statistics updates at its last check, when they last changed, and when it checks again.
    seen_movements: int = 0
    seen_at: Moment | None = None
    look_again_at: Moment | None = None
    #: When the watchdog recounts the ended flow: delivery reports arrived during the last recount.
    recount_at: Moment | None = None
    #: Open executions that were overdue at the last recount and that no worker held.
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
        """Report whether the flow has ended."""
        return self.status in ENDED

    @property
    def may_end(self) -> bool:
        """Report whether the flow ends once all its executions have ended."""
        return self.status is FlowStatus.RUNNING and not self.takes_entrants

    @property
    def takes_entrants(self) -> bool:
        """Report whether events still enter contacts into the flow."""
        return self.open_ended and self.closed_at is None and not self.is_over

    @property
    def is_expanded(self) -> bool:
        """Report whether every contact of the audience has an execution."""
        return self.expanded_at is not None

    @property
    def is_found(self) -> bool:
        """Report whether enrolment jobs search for the audience, so that its size is unknown until they end."""
        return self.segment_uid is not None or self.from_rows

    def filter_attributes(self) -> Mapping[str, str]:
        marks = {"status": str(self.status), "campaignUid": self.campaign_uid, "channelUid": self.channel_uid}
        return marks | ({"segmentUid": self.segment_uid} if self.segment_uid else {})

    @property
    def is_active(self) -> bool:
        """Report whether the watchdog checks the flow: it is under way, or it has ended and needs a recount."""
        return self.is_under_way or (self.is_over and self.recount_at is not None)

    @property
    def is_under_way(self) -> bool:
        """Report whether the flow is queued, running, or cancelled and not yet settled."""
        return self.status in {S.QUEUED, S.RUNNING} or (self.status is S.CANCELLED and self.settled_at is None)

    def check_operator_move(self, wanted: FlowStatus) -> None:
        """Raise IllegalTransition, with the allowed statuses, if an operator may not set this status."""
        if wanted not in OPERATOR_MOVES.get(self.status, ()):
            raise IllegalTransition(self.status, wanted)

    def check_engine_move(self, wanted: FlowStatus) -> None:
        """Raise IllegalTransition if the engine may not set this status: the flow was moved in between."""
        if wanted not in ENGINE_MOVES.get(self.status, ()):
            raise IllegalTransition(self.status, wanted)

    # The methods below return the changed flow, which is not stored yet. Those that set the status check the tables.

    def edited(self, description: str, configuration: FlowConfiguration, now: datetime) -> "Flow":
        """Return the flow with another description and configuration."""
        return self._with(description=description, configuration=configuration, updated_at=now)

    def with_version(self, campaign_version: int) -> "Flow":
        """Return the flow with the campaign version on which it runs."""
        return self._with(campaign_version=campaign_version)

    def with_audience(self, contacts: int, chunks: int, shards: int) -> "Flow":
        """Return the flow with the size of its audience and the numbers of its parts."""
        return self._with(contact_count=contacts, chunks=chunks, shards=shards)

    def with_retried_shards(self, chunks: int, shards: int) -> "Flow":
        """Return the retry with `chunks` enrolment jobs, one for each shard of the retried flow."""
        return self._with(from_rows=True, chunks=chunks, shards=shards)

    def with_more_contacts(self, contacts: int, chunks: int, duplicates: int, shards: int, now: datetime) -> "Flow":
        """Return the flow with `contacts` more contacts in `chunks` more chunks.

        The first start fixes the number of shards: executions that are enrolled stay where they are.
        """
        return self._with(
            contact_count=self.contact_count + contacts,
            chunks=self.chunks + chunks,
            shards=self.shards if self.epoch else shards,
            duplicates_removed=self.duplicates_removed + duplicates,
            updated_at=now,
        )

    def with_enrolment_plan(self, jobs: int, shards: int) -> "Flow":
        """Return the flow with `jobs` enrolment jobs for its segment. Chunk 0 is the plan, and is done."""
        return self._with(chunks=1 + jobs, expanded_chunks=(0,), shards=shards)

    def with_enrolled_chunk(self, chunk: int, contacts_found: int, now: datetime) -> "Flow":
        """Return the flow after the enrolment of a chunk. After the last chunk it is expanded, and a queued flow runs.

        `contacts_found` counts the contacts of the chunk that `contact_count` does not include yet.
        """
        chunks = tuple(sorted({*self.expanded_chunks, chunk}))
        flow = self._with(expanded_chunks=chunks, contact_count=self.contact_count + contacts_found)
        if len(chunks) < self.chunks:
            return flow
        expanded = flow._with(expanded_at=now)
        if self.status is not S.QUEUED:
            return expanded
        return expanded.running()._with(started_at=self.started_at or now, seen_at=now)

    def started(self, now: datetime, *, is_prepaid: bool) -> "Flow":
        """Return the started draft: queued, or running if it has no audience to enrol."""
        self._check_status({S.DRAFT}, S.QUEUED)
        flow = self._with(
            status=S.QUEUED, prepaid=is_prepaid, epoch=self.epoch + 1, queued_at=now, updated_at=now, seen_at=now
        )
        return flow if self.chunks else flow.running()._with(started_at=now, expanded_at=now)

    def running(self) -> "Flow":
        """Return the queued flow as running."""
        self.check_engine_move(S.RUNNING)
        return self._with(status=S.RUNNING)

    def paused(self, reason: PauseReason, now: datetime, by: PausedBy | None = None) -> "Flow":
        """Return the paused flow. `by` is the circuit that paused it, if one did."""
        self.check_operator_move(S.PAUSED)
        return self._with(status=S.PAUSED, pause=reason, paused_by=by, paused_at=now, updated_at=now)

    def resumed(self, now: datetime) -> "Flow":
        """Return the resumed flow, in a new epoch: running, or queued while its audience is not enrolled."""
        status = S.RUNNING if self.is_expanded else S.QUEUED
        self._check_status({S.PAUSED, S.ERROR}, status)
        starts_now = self.is_expanded and self.started_at is None
        return self._with(
            status=status,
            epoch=self.epoch + 1,
            pause=None,
            paused_by=None,
            paused_at=None,
            updated_at=now,
            seen_at=now,
            look_again_at=None,
            started_at=now if starts_now else self.started_at,
        )

    def returned_to_draft(self, now: datetime) -> "Flow":
        """Return the queued flow as a draft. Raises IllegalTransition if the flow has run."""
        self.check_operator_move(S.DRAFT)
        if self.started_at is not None:
            raise IllegalTransition(self.status, S.DRAFT)
        return self._with(status=S.DRAFT, queued_at=None, updated_at=now)

    def cancelled(self, now: datetime) -> "Flow":
        """Return the cancelled flow. It is settled once its executions have ended."""
        self.check_operator_move(S.CANCELLED)
        return self._ended(S.CANCELLED, now)._with(pause=None, paused_by=None, updated_at=now)

    def stopped(self, fault: str, now: datetime) -> "Flow":
        """Return the flow in the status `error`, with the fault of its run."""
        self.check_engine_move(S.ERROR)
        reason = PauseReason(PauseCause.FAULT, fault)
        return self._with(status=S.ERROR, pause=reason, paused_at=now, updated_at=now)

    def completed(self, status: FlowStatus, now: datetime) -> "Flow":
        """Return the flow that ended on its own, in one of the final statuses."""
        self.check_engine_move(status)
        return self._ended(status, now)

    def settled(self, now: datetime) -> "Flow":
        """Return the cancelled flow as settled: all its executions have ended."""
        return self._with(settled_at=now)

    def closed(self, now: datetime) -> "Flow":
        """Return the flow of an event campaign as closed: no more contacts enter."""
        return self._with(closed_at=now)

    def recounted(self, stuck: int, look_again_at: datetime) -> "Flow":
        """Return the flow with the next epoch of statistics, and the time of the watchdog's next check."""
        return self._with(stats_epoch=self.stats_epoch + 1, stuck=stuck, look_again_at=look_again_at, recount_at=None)

    def with_contact_count(self, contacts: int) -> "Flow":
        """Return the flow with the counted size of its audience."""
        return self._with(contact_count=contacts)

    def with_recount_at(self, at: datetime) -> "Flow":
        """Return the flow with the time at which the watchdog recounts it."""
        return self._with(recount_at=at)

    def with_movements(self, movements: int, now: datetime) -> "Flow":
        """Return the flow with the number of statistics updates that the watchdog has seen."""
        return self._with(seen_movements=movements, seen_at=now, look_again_at=None)

    def with_look_at(self, at: datetime) -> "Flow":
        """Return the flow with the time of the watchdog's next check."""
        return self._with(look_again_at=at)

    def _check_status(self, expected: AbstractSet[FlowStatus], wanted: FlowStatus) -> None:
        """Raise IllegalTransition where the table is too general: `queued` may mean a start or a resume."""
        if self.status not in expected:
            raise IllegalTransition(self.status, wanted)

    def _ended(self, status: FlowStatus, now: datetime) -> "Flow":
        return self._with(status=status, completed_at=now, end_reason=_END_REASONS.get(status))

    def _with(self, **changes: object) -> "Flow":
        return self.model_copy(update=changes)
