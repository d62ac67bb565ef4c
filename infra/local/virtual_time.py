"""The clock of the local stack: it may run faster than the real one, and it never goes backwards."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

#: Seconds between the notes of the supervisor that a faster clock is still running.
BEAT_SECONDS = 5.0
#: Seconds that children may read the clock after the last note before a kill -9: one beat and one batch.
GRACE_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Anchors:
    """The virtual clock showed `virtual` at the real time `real`, in epoch seconds. It runs `speed` times faster."""

    real: float
    virtual: float
    speed: float

    def now(self, real: float | None = None) -> float:
        return self.virtual + ((time.time() if real is None else real) - self.real) * self.speed

    def environment(self) -> dict[str, str]:
        return {
            "CLOCK_SPEED": repr(self.speed),
            "CLOCK_REAL_ANCHOR": repr(self.real),
            "CLOCK_VIRTUAL_ANCHOR": repr(self.virtual),
        }


def read_anchors(environment: Mapping[str, str]) -> Anchors:
    """Return the anchors from the environment; those of the real clock if it has none."""
    return Anchors(
        float(environment.get("CLOCK_REAL_ANCHOR", "0")),
        float(environment.get("CLOCK_VIRTUAL_ANCHOR", "0")),
        float(environment.get("CLOCK_SPEED", "1")),
    )


def virtual_now(environment: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(read_anchors(environment).now(), UTC)


def continue_from(stored: Mapping[str, float] | None, speed: float, real: float) -> Anchors:
    """Return the anchors of a start at `real`. The clock keeps its lead over the real clock.

    `stored` is the result of `describe`: the last anchors, the last noted time, and whether the end was clean.
    """
    if stored is None:
        return Anchors(real, real, speed)
    last = Anchors(stored["real"], stored["virtual"], stored["speed"])
    ended = stored["seen"] if stored["clean"] else stored["seen"] + GRACE_SECONDS
    reached = last.now(max(last.real, min(ended, real)))
    lead = max(0.0, reached - min(ended, real))
    return Anchors(real, max(reached, real + lead), speed)


def describe(anchors: Anchors, seen: float, clean: bool) -> dict[str, float]:
    return {
        "real": anchors.real,
        "virtual": anchors.virtual,
        "speed": anchors.speed,
        "seen": seen,
        "clean": float(clean),
    }
