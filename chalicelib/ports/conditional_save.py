"""What a save of a row expects of the row that is stored."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from chalicelib.model.execution import Execution
from chalicelib.model.ids import AttemptId, new_mark

#: No lease ends before it.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExpectUnclaimed:
    """A save that holds only while the row is at `seq` and no claim is alive at `real_now`."""

    seq: int
    real_now: datetime

    @classmethod
    def as_seen(cls, row: Execution, real_now: datetime) -> Self:
        """For what was decided by this row: a claim that it does not show must not be there, not even a dead one.

        The row may have been read before somebody claimed it, sent, and died: that message is not to be sent again.
        """
        return cls(row.seq, real_now if row.claim else NEVER)


@dataclass(frozen=True, slots=True)
class ExpectClaimedBy:
    """A save that holds only while this attempt's claim is on the row."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Save:
    """Writes all of a row but its receipts, on a condition. A row without a claim releases it.

    Trying the same Save again is safe: its `mark` is stored with the row, so that a write whose answer was lost is told
    from the same write by another worker.
    """

    row: Execution
    expect: ExpectUnclaimed | ExpectClaimedBy
    mark: str = field(default_factory=new_mark)
