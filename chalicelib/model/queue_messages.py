"""What travels on the queues: ids only; the rows decide what a hint is worth."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.event import Event
from chalicelib.model.execution import ExecutionKey, parse_execution_id
from chalicelib.model.ids import FlowUid, WorkspaceUid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StepMessage(StrictModel):
    """“Look at this row, it may be at step q.”"""

    v: Literal[1] = 1
    w: str
    f: str
    c: str
    q: int
    #: The slot that the pacing gate has promised, in epoch milliseconds.
    p: int | None = None
    #: The slot of its channel's rate that is kept for it, in epoch microseconds.
    r: int | None = None
    #: It was dead: whatever became of its row, nobody else may be about to hint it.
    revived: bool = False

    @property
    def slot(self) -> datetime | None:
        """The moment that `r` says."""
        return None if self.r is None else _EPOCH + timedelta(microseconds=self.r)

    @property
    def key(self) -> ExecutionKey:
        """Which row is meant."""
        return parse_execution_id(WorkspaceUid(self.w), FlowUid(self.f), self.c)


def build_step_message(
    key: ExecutionKey, seq: int, promised: datetime | None = None, slot: datetime | None = None
) -> StepMessage:
    """The hint for step `seq` of a row; `slot`: of its channel's rate, kept to the microsecond."""
    turn = int(promised.timestamp() * 1000) if promised else None
    kept = (slot - _EPOCH) // timedelta(microseconds=1) if slot else None
    return StepMessage(w=key.workspace, f=key.flow, c=key.walk, q=seq, p=turn, r=kept)


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """A hint and the moment it is for."""

    hint: StepMessage
    due: datetime


class EnrolContacts(StrictModel):
    """Enrol the contacts of one chunk, from `offset` on."""

    kind: Literal["expand"] = "expand"
    w: str
    f: str
    chunk: int
    offset: int = 0


class EnrolSegment(StrictModel):
    """Enrol a segment's members in one part of the contacts' shards, from `cursor` in `shard` on."""

    kind: Literal["expandShards"] = "expandShards"
    w: str
    f: str
    #: 0 is the plan: it keeps the filter and says how many parts there are.
    chunk: int
    shard: int | None = None
    cursor: str | None = None
    #: Members found in this part so far.
    found: int = 0


class EnrolRetry(StrictModel):
    """Enrol whom a retry is for, out of one shard of the flow that it retries, from `cursor` on."""

    kind: Literal["expandRetry"] = "expandRetry"
    w: str
    f: str
    #: The part of the audience, which is also the number of the shard.
    chunk: int
    cursor: str | None = None
    #: Found in this shard so far.
    found: int = 0


class EnqueuePending(StrictModel):
    """Hint the open rows of the shards first, first+stride, … from `cursor` on; `heal`: only those long overdue."""

    kind: Literal["dispatch"] = "dispatch"
    w: str
    f: str
    epoch: int
    shard: int = 0
    stride: int = 1
    cursor: str | None = None
    heal: bool = False


class Recount(StrictModel):
    """Count the rows from `shard` on, heal what is overdue, and end the flow if it is over."""

    kind: Literal["recount"] = "recount"
    w: str
    f: str
    pass_id: str
    shard: int = 0
    #: How many movements the statistics had seen when the pass began; set by its first job.
    movements: int | None = None
    #: How often the flow's purse had moved then, -1 if a batch was at it; None where nothing is paid for.
    takes: int | None = None
    #: The generation of the flow's statistics when it was asked for; from its first job on, in which the pass began.
    epoch: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    #: Of a pass that has begun: the generation in which it was asked for, however often it began anew.
    asked: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    #: Whether nobody was enrolled any more when it began.
    full: Annotated[bool, Field(exclude_if=lambda value: not value)] = False


class ReleaseTimers(StrictModel):
    """Hand the timers of one minute's bucket to the step queue."""

    kind: Literal["wake"] = "wake"
    bucket: str


class PurgeFlow(StrictModel):
    """Delete the rows of a deleted flow."""

    kind: Literal["purge"] = "purge"
    w: str
    f: str
    shards: int


class Import(StrictModel):
    """Read on in an import, from byte `offset`."""

    kind: Literal["import"] = "import"
    w: str
    uid: str


class SendOptIn(StrictModel):
    """Send the confirmation message of an opt-in that is still at this `rev`."""

    kind: Literal["opt_in"] = "opt_in"
    w: str
    uid: str
    rev: int


class EraseContact(StrictModel):
    """Erase the contact that was created at this moment, and sweep up what was under way when it was erased."""

    kind: Literal["erase"] = "erase"
    w: str
    c: str
    created: Moment
    #: Whether a record without a name stays in its place.
    keeps: bool = False


class Export(StrictModel):
    """Write on at an export."""

    kind: Literal["export"] = "export"
    w: str
    uid: str


class EventBatch(StrictModel):
    """Events of one workspace, on their way to what listens to them."""

    w: str
    events: tuple[Event, ...]


class StartScheduledCampaign(StrictModel):
    """Start a scheduled campaign, if its time has come."""

    kind: Literal["start"] = "start"
    w: str
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
