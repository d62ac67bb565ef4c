"""What a flow keeps besides its rows: timers, counters, the pacing gate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import PacingState
from chalicelib.model.queue_messages import ScheduledStep


class Timers(Protocol):
    """Hints for more than 15 minutes ahead, packed into minute buckets."""

    def put(self, hints: Sequence[ScheduledStep]) -> None:
        """Each hint goes into the bucket of its due minute."""

    def buckets(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Names of the buckets in use between two minutes, both included."""

    def read(self, bucket: str) -> Iterator[ScheduledStep]:
        """All hints of a bucket."""

    def swept_to(self) -> datetime | None:
        """Up to which minute the clock has handed buckets over."""

    def set_swept_to(self, minute: datetime) -> None:
        """Remembers it; never goes backwards."""


Counters = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """Of a flow in one epoch; `in_flight` is over all epochs."""

    counters: Counters = field(default_factory=dict)
    in_flight: int = 0
    #: What was asked of AWS for the flow up to this epoch, which recounts keep; lacks what a crash kept away.
    used: AwsUsage = field(default_factory=AwsUsage)


class Statistics(Protocol):
    """Live counters of a flow on shards, and its register of sends in flight."""

    def enter(
        self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, count: int, until: datetime
    ) -> None:
        """Registers `count` sends of a batch as in flight until a real-clock moment."""

    def leave(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, counters: Counters) -> None:
        """Adds counters and takes the batch out of the register, in one write."""

    def read(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int) -> Counters:
        """Sums the shards of one epoch; strongly consistent."""

    def in_flight(self, workspace: WorkspaceUid, flow: FlowUid, real_now: datetime) -> int:
        """How many sends are registered and not expired, over all epochs; strongly consistent."""

    def replace(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, counters: Counters, rev: int) -> bool:
        """Writes the counted start of an epoch, unless one was written at this or a later `rev` of the flow.

        Drops epochs older than the one before it in which no send is in flight.
        """

    def overview(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, real_now: datetime) -> Overview:
        """What `read` and `in_flight` say, and what was used, by reading the shards once; strongly consistent."""

    def put_part(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str, shard: int, counters: Counters) -> None:
        """Keeps what a recount counted in one shard."""

    def parts(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str) -> tuple[Counters, ...]:
        """What the recount has counted so far, one entry a shard."""

    def add_errors(self, workspace: WorkspaceUid, flow: FlowUid, errors: Sequence[Mapping[str, object]]) -> None:
        """Keeps the first 50 errors of a flow."""

    def errors(self, workspace: WorkspaceUid, flow: FlowUid) -> tuple[Mapping[str, object], ...]:
        """The errors kept."""


class PacingStore(Protocol):
    """The pacing gate of a flow."""

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> PacingState:
        """The stored gate, or a fresh one (rev 0)."""

    def save(self, workspace: WorkspaceUid, flow: FlowUid, gate: PacingState) -> bool:
        """Stores it if nobody did since it was read."""
