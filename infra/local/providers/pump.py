"""Tells of every message in the outbox what becomes of it, when its time has come; also of those of the last run.

The files are the memory: after a crash they are read again from the oldest that was not done with, so that a report may
come twice but is not lost, as with the real ones.
"""

from __future__ import annotations

import heapq
import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.data import write_atomically
from infra.local.providers.desk import Taken, read_taken
from infra.local.providers.mails import build_event, read_mail
from infra.local.providers.reports import Event, Post, build_reports
from infra.local.providers.steps import Moment, steps_of

#: What SES's and the providers' own files are called; the console's are not among them.
NAME = re.compile(r"(\d{8}T\d{6}\.\d{6})Z-.+\.(eml|json)")
#: How long after a failure a report is tried again, by the stack's clock, and how often in all.
AGAIN = timedelta(seconds=5)
TRIES = 5
#: A folder that changes twice within this many seconds may show the same time for both.
CLOCK_TICK = 0.1
LOOKING_COSTS = 20

log = logging.getLogger("providers")


@dataclass(frozen=True, order=True, slots=True)
class Due:
    """A step of one message that is to be told of."""

    at: datetime
    file: str
    moment: int
    tries: int = 0


@dataclass(slots=True)
class Pump:
    """`publish` takes an event for the queue of receipts, `post` a callback; both say whether it was taken."""

    outbox: Path
    position: Path
    now: Callable[[], datetime]
    publish: Callable[[Event], bool]
    post: Callable[[Post], bool]
    due: list[Due] = field(default_factory=list)
    messages: dict[str, Taken] = field(default_factory=dict)
    open_steps: Counter[str] = field(default_factory=Counter)
    #: By ending, the last file that was read; two processes write, each in its own order.
    read: dict[str, str] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    changed_at: float = 0.0
    look_at: float = 0.0

    def __post_init__(self) -> None:
        if self.position.exists():
            self.done = json.loads(self.position.read_text(encoding="utf-8"))
            self.read = dict(self.done)

    def turn(self) -> None:
        """Reads what is new, tells of what is due, and remembers how far it is."""
        self._look()
        now = self.now()
        while self.due and self.due[0].at <= now:
            self._tell(heapq.heappop(self.due))
        self._remember()

    def _look(self) -> None:
        """Only when the folder has changed; a large one less often, so that looking costs a twentieth of a core."""
        began, changed_at = time.time(), self.outbox.stat().st_mtime
        if began < self.look_at or (changed_at == self.changed_at and began - changed_at > CLOCK_TICK):
            return
        self.changed_at = changed_at
        for name in sorted(filter(self._is_new, os.listdir(self.outbox))):
            if found := NAME.fullmatch(name):
                self.read[found[2]] = name
                self._plan(name, found)
        self.look_at = time.time() + LOOKING_COSTS * (time.time() - began)

    def _is_new(self, name: str) -> bool:
        return name > self.read.get(name.rpartition(".")[2], "")

    def _plan(self, name: str, found: re.Match[str]) -> None:
        content = (self.outbox / name).read_bytes()
        try:
            taken = read_mail(content) if found[2] == "eml" else read_taken(content.decode())
        except (ValueError, KeyError, TypeError):
            log.warning("%s cannot be read", name)
            return
        steps = steps_of(taken.fate) if taken.details.get("reports") else ()
        accepted = datetime.strptime(found[1], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        for number, moment in enumerate(steps):
            heapq.heappush(self.due, Due(accepted + timedelta(seconds=moment.after), name, number))
        if steps:
            self.messages[name], self.open_steps[name] = taken, len(steps)

    def _tell(self, due: Due) -> None:
        taken = self.messages[due.file]
        moment: Moment = steps_of(taken.fate)[due.moment]
        if taken.channel == "email":
            event = build_event(taken, moment.step, due.at)
            reports: tuple[Event | Post, ...] = (event,) if event else ()
        else:
            reports = build_reports(taken, moment.step, due.at)
        not_taken = [each for each in reports if not self._hand_over(each)]
        if not_taken and due.tries + 1 < TRIES:
            heapq.heappush(self.due, Due(self.now() + AGAIN, due.file, due.moment, due.tries + 1))
            return
        if not_taken:
            log.warning("a report of %s was not taken %d times; dropped", due.file, TRIES)
        self.open_steps[due.file] -= 1
        if not self.open_steps[due.file]:
            del self.open_steps[due.file], self.messages[due.file]

    def _hand_over(self, report: Event | Post) -> bool:
        return self.publish(report) if isinstance(report, Event) else self.post(report)

    def _remember(self) -> None:
        """Up to the oldest message that is still to be told of."""
        done = {}
        for ending, last in self.read.items():
            pending = [name for name in self.open_steps if name.endswith(ending)]
            done[ending] = _before(min(pending)) if pending else last
        if done != self.done:
            self.done = done
            write_atomically(self.position, json.dumps(done))


def _before(name: str) -> str:
    """Sorts before this name, and after all that are smaller."""
    return name[:-1]
