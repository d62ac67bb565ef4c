"""The stored pacing state of a flow."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ConcurrencySlot:
    """One of the sends that may run at the same time. While it is held, only the batch `held_by` may use it."""

    next_start: datetime | None = None
    held_by: str | None = None
    #: Real-clock time at which the hold expires, so that a crash frees the slot.
    held_until: datetime | None = None
    #: The jitter of the next start. It is the opposite of the last jitter, so that the mean pause is exact.
    next_jitter: timedelta = timedelta(0)

    def is_usable(self, batch: str, real_now: datetime) -> bool:
        """Report whether the batch may use the slot: free, its own, or left by a crash."""
        return self.held_by in {None, batch} or (self.held_until is not None and self.held_until <= real_now)


@dataclass(frozen=True, slots=True)
class PacingState:
    """Pacing state. `rev` is the optimistic lock. Every resume changes `epoch`, which voids older reservations."""

    slots: tuple[ConcurrencySlot, ...] = ()
    #: The last reserved start.
    last_reserved: datetime | None = None
    epoch: int = 0
    rev: int = 0
