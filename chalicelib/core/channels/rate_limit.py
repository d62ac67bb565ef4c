"""Rate limit of a channel: the generic cell rate algorithm (GCRA), reserved in spans of time.

A worker reserves the span behind everything that is reserved, and sends at the slots in it. So the mean rate is exact,
and no two sends of a channel are closer than its interval. A span that is lost in a crash makes the channel slower,
never faster.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.channels.pacing import LEAD

#: A worker sleeps until a slot that is at most HORIZON + AHEAD away. For a later slot the step comes back.
HORIZON = timedelta(seconds=2)
#: The claim and its confirmation take time between reserving a slot and sending, so no slot is sooner than this.
AHEAD = timedelta(milliseconds=100)
#: Most reservations per second and channel. DynamoDB takes 1,000 writes per second on one item.
LEASES_PER_SECOND = 500
_SOONEST = timedelta(seconds=1)


def interval_of(per_second: float) -> timedelta:
    """Return the time between two sends, rounded up to the microsecond so that the rate is never exceeded."""
    return timedelta(microseconds=-(-1_000_000 // per_second))


def lease_size(wanted: int, per_second: float) -> int:
    """Return how many slots to reserve: those that are needed, or more for a fast channel, to limit the writes."""
    return max(wanted, int(-(-per_second // LEASES_PER_SECOND)))


@dataclass(frozen=True, slots=True)
class SendRate:
    """The speed of a channel. `left`: what remains of the daily cap on the first day; None without a cap."""

    interval: timedelta
    cap: int | None = None
    left: int | None = None

    def on_a_day(self, span: timedelta, most: int) -> int:
        """Return how many of `most` messages can be sent within this span of a day."""
        return min(most, span // self.interval) if self.interval else most

    def end_of(self, count: int, start: datetime) -> datetime:
        """Return when the last of `count` messages is sent, if the first goes at `start` and nothing else is sent."""
        if self.cap is None or self.left is None:
            return start + self.interval * count
        midnight = next_day(start)
        today = self.on_a_day(midnight - start, self.left)
        if count <= today:
            return start + self.interval * count
        daily = max(1, self.on_a_day(timedelta(days=1), self.cap))
        days, before = divmod(count - today - 1, daily)
        return midnight + timedelta(days=days) + self.interval * (before + 1)


def is_within_horizon(slot: datetime, now: datetime, speed: float) -> bool:
    """Report whether the worker sleeps until the slot. `speed`: clock seconds per real second (1 in production)."""
    return now <= slot <= now + (HORIZON + AHEAD) * speed


def retry_at(slot: datetime, now: datetime, speed: float) -> datetime:
    """Return when the step for this slot comes back: a little early, because SQS rounds delays up to full seconds."""
    return max(now + _SOONEST * speed, slot - LEAD * speed)


def next_day(now: datetime) -> datetime:
    """Return when the next daily cap starts: at midnight UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
