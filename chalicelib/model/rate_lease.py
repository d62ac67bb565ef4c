"""Rate slots of a channel that one worker has reserved and not used yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RateLease:
    """`left` slots from `start` on, one per `interval`."""

    start: datetime
    left: int
    interval: timedelta

    def fresh(self, now: datetime) -> "RateLease":
        """Return the lease without the slots that have passed, so that two late workers do not exceed the rate."""
        passed = 0 if self.start >= now or not self.interval else -(-(now - self.start) // self.interval)
        passed = min(passed, self.left)
        return RateLease(self.start + self.interval * passed, self.left - passed, self.interval)

    def take(self) -> "tuple[datetime, RateLease]":
        """Return the first slot and the lease that remains."""
        return self.start, RateLease(self.start + self.interval, self.left - 1, self.interval)
