"""Bodies of the step, job and event queues.

A message holds ids and a position, never a contact's data. A worker first reads the stored execution or document and
decides by its state, so a message that is lost, late or delivered twice does no harm.

Python names are readable; JSON names are short and must not change, because messages of the previous version are still
in the queues during an update.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.event import Event
from chalicelib.model.execution import ExecutionKey, parse_execution_id
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Workspace = Annotated[WorkspaceUid, Field(alias="w")]
_Flow = Annotated[str, Field(alias="f")]


class StepMessage(StrictModel):
    """A request to process one step of one execution."""

    version: Annotated[Literal[1], Field(alias="v")] = 1
    workspace: _Workspace
    flow: Annotated[FlowUid, Field(alias="f")]
    #: The contact and, from the second entry on, the entry: see `ExecutionKey.execution_id`.
    execution_id: Annotated[str, Field(alias="c")]
    #: The step that the sender saw, compared with `Execution.seq`.
    seq: Annotated[int, Field(alias="q")]
    #: The slot that the flow's pacing has reserved for the send, in milliseconds since 1970.
    pacing_slot_ms: Annotated[int | None, Field(alias="p")] = None
    #: The slot that the channel's rate limit has reserved for the send, in microseconds since 1970.
    rate_slot_us: Annotated[int | None, Field(alias="r")] = None
    #: Set by the redrive of dead letters. The step message after this one may be lost, so the worker enqueues the
    #: current step of the execution again, even if this message is out of date.
    redriven: Annotated[bool, Field(alias="revived")] = False

    @property
    def rate_slot(self) -> datetime | None:
        """The reserved slot of the channel's rate limit, to the microsecond."""
        return None if self.rate_slot_us is None else _EPOCH + timedelta(microseconds=self.rate_slot_us)

    @property
    def key(self) -> ExecutionKey:
        """The key of the execution; ValueError if `execution_id` is malformed."""
        return parse_execution_id(self.workspace, self.flow, self.execution_id)


def build_step_message(
    key: ExecutionKey, seq: int, pacing_slot: datetime | None = None, rate_slot: datetime | None = None
) -> StepMessage:
    """Build the message for step `seq` of an execution.

    `pacing_slot` is stored to the millisecond, `rate_slot` to the microsecond.
    """
    return StepMessage(
        workspace=key.workspace,
        flow=key.flow,
        execution_id=key.execution_id,
        seq=seq,
        pacing_slot_ms=int(pacing_slot.timestamp() * 1000) if pacing_slot else None,
        rate_slot_us=(rate_slot - _EPOCH) // timedelta(microseconds=1) if rate_slot else None,
    )


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """A step message and the time at which it is due."""

    message: StepMessage
    due: datetime


class EnrolContacts(StrictModel):
    """Enrol the contacts of one stored chunk, starting at `offset`."""

    kind: Literal["expand"] = "expand"
    workspace: _Workspace
    flow: _Flow
    chunk: int
    offset: int = 0


class EnrolSegment(StrictModel):
    """Enrol the segment members of one part of the contact shards, starting at `cursor` in `shard`."""

    kind: Literal["expandShards"] = "expandShards"
    workspace: _Workspace
    flow: _Flow
    #: 0 is the plan, which stores the filter and the number of parts; the parts count from 1.
    chunk: int
    shard: int | None = None
    cursor: str | None = None
    #: Members enrolled in this part so far.
    found: int = 0


class EnrolRetry(StrictModel):
    """Enrol the executions of a retry from one shard of the retried flow, starting at `cursor`."""

    kind: Literal["expandRetry"] = "expandRetry"
    workspace: _Workspace
    flow: _Flow
    #: The chunk of the new flow, which is also the shard of the retried flow.
    chunk: int
    cursor: str | None = None
    #: Executions enrolled from this shard so far.
    found: int = 0


class EnqueuePending(StrictModel):
    """Enqueue the open executions of the shards `shard`, `shard` + `stride`, …, starting at `cursor`."""

    kind: Literal["dispatch"] = "dispatch"
    workspace: _Workspace
    flow: _Flow
    #: The flow's epoch; the job is dropped once the flow has another one.
    epoch: int
    shard: int = 0
    stride: int = 1
    cursor: str | None = None
    #: Enqueue only executions that are long overdue, because their step message is probably lost.
    overdue_only: Annotated[bool, Field(alias="heal")] = False


class Recount(StrictModel):
    """Count the executions of a flow from `shard` on, enqueue overdue ones, and complete the flow if all have ended."""

    kind: Literal["recount"] = "recount"
    workspace: _Workspace
    flow: _Flow
    #: Identifies the partial counts of this pass.
    pass_id: str
    shard: int = 0
    #: The number of statistics updates when the pass began; set by its first job.
    movements: int | None = None
    #: The number of changes of the flow's budget when the pass began; -1 while a batch was using the budget, None for a
    #: flow that is not prepaid.
    budget_moves: Annotated[int | None, Field(alias="takes")] = None
    #: The epoch of the flow's statistics when the recount was requested; once its first job has run, when it began.
    stats_epoch: Annotated[int | None, Field(alias="epoch", exclude_if=lambda value: value is None)] = None
    #: For a pass that has begun: the epoch of its first request, unchanged by restarts.
    requested_epoch: Annotated[int | None, Field(alias="asked", exclude_if=lambda value: value is None)] = None
    #: Whether enrolment had ended when the pass began.
    enrolment_closed: Annotated[bool, Field(alias="full", exclude_if=lambda value: not value)] = False


class ReleaseTimers(StrictModel):
    """Move the timers of one minute's bucket to the step queue."""

    kind: Literal["wake"] = "wake"
    bucket: str


class PurgeFlow(StrictModel):
    """Delete the executions of a deleted flow."""

    kind: Literal["purge"] = "purge"
    workspace: _Workspace
    flow: _Flow
    shards: int


class Import(StrictModel):
    """Continue an import from the position stored with it."""

    kind: Literal["import"] = "import"
    workspace: _Workspace
    uid: str


class SendOptIn(StrictModel):
    """Send the confirmation message of an opt-in request, if the request still has this `rev`."""

    kind: Literal["opt_in"] = "opt_in"
    workspace: _Workspace
    uid: str
    rev: int


class EraseContact(StrictModel):
    """Finish the erasure of a contact: delete records that were written during the erasure."""

    kind: Literal["erase"] = "erase"
    workspace: _Workspace
    contact: Annotated[ContactUid, Field(alias="c")]
    #: When the erased contact was created; a later contact with the same uid is left alone.
    created: Moment
    #: Whether an anonymous record of the contact stays.
    keeps_record: Annotated[bool, Field(alias="keeps")] = False


class Export(StrictModel):
    """Continue an export from the position stored with it."""

    kind: Literal["export"] = "export"
    workspace: _Workspace
    uid: str


class EventBatch(StrictModel):
    """Events of one workspace, for the event triggers and webhooks that subscribe to them."""

    workspace: _Workspace
    events: tuple[Event, ...]


class StartScheduledCampaign(StrictModel):
    """Start a scheduled campaign if its start time has come."""

    kind: Literal["start"] = "start"
    workspace: _Workspace
    uid: str


Job = Annotated[
    StartScheduledCampaign
    | EnrolContacts
    | EnrolSegment
    | EnrolRetry
    | EnqueuePending
    | Recount
    | ReleaseTimers
    | PurgeFlow
    | Import
    | SendOptIn
    | EraseContact
    | Export,
    Field(discriminator="kind"),
]
