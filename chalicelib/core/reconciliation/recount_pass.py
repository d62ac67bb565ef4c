"""One pass over all executions of a flow, as its first job begins it and later jobs continue it."""

from dataclasses import dataclass
from typing import Self

from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import Recount


@dataclass(frozen=True, slots=True)
class RecountPass:
    """The state of the flow before the first execution was read.

    Contacts that are enrolled and messages that are sent during the pass may be in a shard that was counted before, so
    later decisions use this state.
    """

    workspace: WorkspaceUid
    flow: FlowUid
    #: Identifies the partial counts of this pass.
    uid: str
    #: Epoch of the statistics in which the pass began. The pass ends it.
    epoch: int
    #: Epoch of the first request that this pass answers.
    requested_epoch: int
    #: Number of statistics updates.
    movements: int
    #: Number of changes of the flow budget, BUSY, or None for a flow that is not prepaid.
    budget_moves: int | None
    #: Whether enrolment had ended.
    enrolment_closed: bool
    #: The next shard to count.
    shard: int = 0

    @classmethod
    def resume(cls, job: Recount, epoch: int) -> Self:
        """Read the state of a pass that has begun in `epoch`, from its queued job."""
        return cls(
            workspace=WorkspaceUid(job.workspace),
            flow=FlowUid(job.flow),
            uid=job.pass_id,
            epoch=epoch,
            requested_epoch=epoch if job.requested_epoch is None else job.requested_epoch,
            movements=job.movements or 0,
            budget_moves=job.budget_moves,
            enrolment_closed=job.enrolment_closed,
            shard=job.shard,
        )

    def job_from(self, shard: int) -> Recount:
        """Return the job that continues the pass at `shard`."""
        return Recount(
            workspace=self.workspace,
            flow=self.flow,
            pass_id=self.uid,
            shard=shard,
            movements=self.movements,
            budget_moves=self.budget_moves,
            stats_epoch=self.epoch,
            requested_epoch=self.requested_epoch,
            enrolment_closed=self.enrolment_closed,
        )
