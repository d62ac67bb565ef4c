"""The stored pacing state of a flow."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ConcurrencySlot:
    """`free`: next slot. Held by batch `by` until `until` (real clock). `owed` is the salt that evens out the last."""

    free: datetime | None = None
    by: str | None = None
    until: datetime | None = None
    owed: timedelta = timedelta(0)

    def is_usable(self, batch: str, real_now: datetime) -> bool:
        """Whether this batch may send on it: its own, free, or left by a crash."""
        return self.by in {None, batch} or (self.until is not None and self.until <= real_now)


@dataclass(frozen=True, slots=True)
class PacingState:
    """The stored state; `rev` guards its writes, `epoch` voids promises made before a pause."""

    lanes: tuple[ConcurrencySlot, ...] = ()
    tail: datetime | None = None
    epoch: int = 0
    rev: int = 0
