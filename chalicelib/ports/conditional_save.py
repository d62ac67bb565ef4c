"""The conditional save of an execution: the new state, and the condition on the stored execution."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from chalicelib.model.execution import Execution
from chalicelib.model.ids import AttemptId, new_mark

#: Earlier than the end of any lease.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExpectUnclaimed:
    """Save only while the execution is at `seq` and no claim on it is valid after `real_now`."""

    seq: int
    real_now: datetime

    @classmethod
    def as_seen(cls, execution: Execution, real_now: datetime) -> Self:
        """Build the condition for a decision that was based on this copy of the execution.

        If the copy has no claim, the stored execution must have none, not even an expired one. Another worker may have
        claimed it after the copy was read, sent the message and crashed. Sending again would create a duplicate.
        """
        return cls(execution.seq, real_now if execution.claim else NEVER)


@dataclass(frozen=True, slots=True)
class ExpectClaimedBy:
    """Save only while the execution is claimed by this attempt."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Save:
    """Write all of an execution except its receipts, if `expect` holds. An `execution` without a claim releases it.

    Repeating the same Save is safe: its `mark` is stored with the execution. After a lost response, the mark
    distinguishes this write from the same write by another worker.
    """

    execution: Execution
    expect: ExpectUnclaimed | ExpectClaimedBy
    mark: str = field(default_factory=new_mark)
