"""The ports of a flow's statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.ids import FlowUid, WorkspaceUid

Counters = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """The statistics of a flow in one epoch."""

    counters: Counters = field(default_factory=dict)
    #: Sends in flight, over all epochs.
    in_flight: int = 0
    #: AWS requests and units used for the flow in all epochs. A crash may lose the usage of its batch.
    used: AwsUsage = field(default_factory=AwsUsage)


class Statistics(Protocol):
    """Live counters of a flow, and the register of its sends in flight.

    A recount starts a new epoch of the counters.
    """

    def register_batch(
        self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, count: int, until: datetime
    ) -> None:
        """Register `count` sends of a batch as in flight until a real-clock time."""

    def record_batch(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, batch: str, counters: Counters) -> None:
        """Add counters and remove the batch from the register, in one write."""

    def read(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int) -> Counters:
        """Return the counters of one epoch; strongly consistent."""

    def in_flight(self, workspace: WorkspaceUid, flow: FlowUid, real_now: datetime) -> int:
        """Return how many registered sends have not expired, over all epochs; strongly consistent."""

    def replace(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, counters: Counters, rev: int) -> bool:
        """Store the recounted start of an epoch. False if one was stored at this or a later `rev` of the flow.

        Deletes epochs older than the previous one that have no send in flight.
        """

    def overview(self, workspace: WorkspaceUid, flow: FlowUid, epoch: int, real_now: datetime) -> Overview:
        """Return counters, sends in flight and usage by reading the shards once; strongly consistent."""


class RecountParts(Protocol):
    """Partial counts of a running recount."""

    def put_part(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str, shard: int, counters: Counters) -> None:
        """Store or replace the count of one shard."""

    def list_parts(self, workspace: WorkspaceUid, flow: FlowUid, pass_id: str) -> tuple[Counters, ...]:
        """Return the counts stored so far, one for each shard."""


class FlowErrors(Protocol):
    """The first 50 errors of each flow."""

    def add_errors(self, workspace: WorkspaceUid, flow: FlowUid, errors: Sequence[Mapping[str, object]]) -> None:
        """Store errors until the flow has 50."""

    def list_errors(self, workspace: WorkspaceUid, flow: FlowUid) -> tuple[Mapping[str, object], ...]:
        """Return the stored errors."""
