"""The rate of a channel: the generic cell rate algorithm, handed out as spans of one line of time.

Whoever wants to send takes a span behind all that was taken, and sends at the slots in it. So the mean is exact, no two
sends of a channel are closer than its interval, and a span that a crash wastes makes it slower, never faster.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.channels.pacing import LEAD

#: A slot further ahead than this, and AHEAD, is hinted, not slept for.
HORIZON = timedelta(seconds=2)
#: Between taking a slot and sending at it lie the claim and a last look: a slot that is sooner would be missed by that.
AHEAD = timedelta(milliseconds=100)
#: DynamoDB takes 1,000 writes a second on one item; half of them for a channel's line.
LEASES_PER_SECOND = 500
_SOONEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Lease:
    """Slots of a channel that one worker has taken: `left` of them, from `start` on."""

    start: datetime
    left: int
    interval: timedelta

    def fresh(self, now: datetime) -> "Lease":
        """Without the slots that have passed: two workers that are late must not send as if they were not."""
        gone = 0 if self.start >= now or not self.interval else -(-(now - self.start) // self.interval)
        gone = min(gone, self.left)
        return Lease(self.start + self.interval * gone, self.left - gone, self.interval)

    def take(self) -> "tuple[datetime, Lease]":
        """The first slot, and what is left."""
        return self.start, Lease(self.start + self.interval, self.left - 1, self.interval)


def interval_of(per_second: float) -> timedelta:
    """Between two sends, rounded up to the microsecond, so that the rate is never exceeded."""
    return timedelta(microseconds=-(-1_000_000 // per_second))


def lease_size(wanted: int, per_second: float) -> int:
    """How many slots are taken at once: those that are wanted, more where the line would be written too often."""
    return max(wanted, int(-(-per_second // LEASES_PER_SECOND)))


@dataclass(frozen=True, slots=True)
class SendRate:
    """How fast a channel may send: `left` is what the day of the start still has of the cap, None without one."""

    interval: timedelta
    cap: int | None = None
    left: int | None = None

    def on_a_day(self, span: timedelta, most: int) -> int:
        """How many go within this span of a day."""
        return min(most, span // self.interval) if self.interval else most

    def end_of(self, count: int, start: datetime) -> datetime:
        """When the last of so many messages has gone, when the first goes at `start` and nothing else comes."""
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
    """Whether the handler sleeps up to the slot. `speed`: how fast `now` runs, as SQS counts real seconds."""
    return now <= slot <= now + (HORIZON + AHEAD) * speed


def retry_at(slot: datetime, now: datetime, speed: float) -> datetime:
    """When to hint who waits for this slot: a little early, since SQS counts whole seconds and rounds up."""
    return max(now + _SOONEST * speed, slot - LEAD * speed)


def next_day(now: datetime) -> datetime:
    """When a daily cap begins anew: at midnight, UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
