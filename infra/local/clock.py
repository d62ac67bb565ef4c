"""The clock process: calls each scheduled function when it is due on the virtual clock."""

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local import orphan
from infra.local.lambda_runtime import ACCOUNT, REGION, Context, Handler, load_handler
from infra.local.sources import Schedule, read_sources
from infra.local.virtual_time import Anchors, read_anchors

#: Longer runs are logged, in s.
SLOW_SECONDS = 1.0

log = logging.getLogger("clock")


def build_event(name: str, at: float) -> dict[str, Any]:
    """Return the event of a scheduled EventBridge rule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"],
        "detail": {},
    }


@dataclass(slots=True)
class Timetable:
    """A schedule and when it is next due, in virtual epoch seconds; 0 means at the start."""

    schedule: Schedule
    handler: Handler
    due: float = 0.0

    def run_if_due(self, now: float) -> None:
        if now < self.due:
            return
        # Counted from `now`, so that missed runs are not replayed.
        self.due = (now // self.schedule.seconds + 1) * self.schedule.seconds
        began = time.monotonic()
        try:
            self.handler(build_event(self.schedule.name, now), Context(self.schedule.name, self.schedule.timeout))
        except Exception:  # The schedule continues after any error, as with EventBridge.
            log.exception("%s raised", self.schedule.name)
        if (duration := time.monotonic() - began) > SLOW_SECONDS:
            orphan.say(f"{self.schedule.name:<18} took {duration:.1f} s")


def run(timetables: list[Timetable], anchors: Anchors, wait: Callable[[float], bool]) -> None:
    """Run the schedules until `wait`, which pauses for real seconds, returns true."""
    pause = 0.0
    while timetables and not wait(pause):
        for timetable in timetables:
            timetable.run_if_due(anchors.now())
        ahead = (min(timetable.due for timetable in timetables) - anchors.now()) / anchors.speed
        # Check at least every 30 s, because the real clock may jump after the machine slept.
        pause = min(30.0, max(0.0, ahead))


def main() -> None:
    orphan.begin()
    stop = threading.Event()
    orphan.on_stop(stop.set)
    sources = read_sources(Path(os.environ["LOCAL_DATA"]) / "sources.json")
    timetables = [Timetable(schedule, load_handler(schedule.entry)) for schedule in sources.schedules]
    run(timetables, read_anchors(os.environ), stop.wait)
    if not timetables:
        stop.wait()


if __name__ == "__main__":
    main()
