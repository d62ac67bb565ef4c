"""Sends the delivery reports of every message in the outbox when they are due, including messages of the last run.

The files of the outbox are the only state. After a crash they are read again from the oldest unfinished message, so a
report may arrive twice but is never lost. Real providers behave the same way.
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
from infra.local.providers.inbox import AcceptedMessage, read_accepted
from infra.local.providers.mails import build_event, read_mail
from infra.local.providers.reports import Event, Post, build_reports
from infra.local.providers.steps import Moment, steps_of

#: File names of the embedded SES and of the providers. Files of the console channel do not match.
NAME = re.compile(r"(\d{8}T\d{6}\.\d{6})Z-.+\.(eml|json)")
#: Delay before a failed report is sent again, by the stack's clock, and the limit of attempts.
RETRY_DELAY = timedelta(seconds=5)
TRIES = 5
#: Resolution of a folder's change time, in s: two changes within it may show the same time.
CLOCK_TICK = 0.1
#: The pause after a scan is this many times its duration, so that scans use a twentieth of one core.
SCAN_PAUSE_FACTOR = 20

log = logging.getLogger("providers")


@dataclass(frozen=True, order=True, slots=True)
class Due:
    """A step of one message to report, and its time."""

    at: datetime
    file: str
    moment: int
    tries: int = 0


@dataclass(slots=True)
class ReportScheduler:
    """Sends reports: `publish` to the receipt queue, `post` to a callback URL. Both return whether they succeeded."""

    outbox: Path
    position: Path
    now: Callable[[], datetime]
    publish: Callable[[Event], bool]
    post: Callable[[Post], bool]
    due: list[Due] = field(default_factory=list)
    messages: dict[str, AcceptedMessage] = field(default_factory=dict)
    open_steps: Counter[str] = field(default_factory=Counter)
    #: Last file read, by file ending. Two processes write files, and only each one's own are in order.
    read: dict[str, str] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    changed_at: float = 0.0
    next_scan_at: float = 0.0

    def __post_init__(self) -> None:
        if self.position.exists():
            self.done = json.loads(self.position.read_text(encoding="utf-8"))
            self.read = dict(self.done)

    def send_due(self) -> None:
        """Read new files, send the reports that are due, and save the position."""
        self._scan()
        now = self.now()
        while self.due and self.due[0].at <= now:
            self._report(heapq.heappop(self.due))
        self._save_position()

    def _scan(self) -> None:
        """Read new files if the folder has changed; scan a large folder less often."""
        began, changed_at = time.time(), self.outbox.stat().st_mtime
        if began < self.next_scan_at or (changed_at == self.changed_at and began - changed_at > CLOCK_TICK):
            return
        self.changed_at = changed_at
        for name in sorted(filter(self._is_new, os.listdir(self.outbox))):
            if found := NAME.fullmatch(name):
                self.read[found[2]] = name
                self._plan(name, found)
        self.next_scan_at = time.time() + SCAN_PAUSE_FACTOR * (time.time() - began)

    def _is_new(self, name: str) -> bool:
        return name > self.read.get(name.rpartition(".")[2], "")

    def _plan(self, name: str, found: re.Match[str]) -> None:
        content = (self.outbox / name).read_bytes()
        try:
            accepted = read_mail(content) if found[2] == "eml" else read_accepted(content.decode())
        except (ValueError, KeyError, TypeError):
            log.warning("%s cannot be read", name)
            return
        steps = steps_of(accepted.outcome) if accepted.details.get("reports") else ()
        accepted_at = datetime.strptime(found[1], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        for number, moment in enumerate(steps):
            heapq.heappush(self.due, Due(accepted_at + timedelta(seconds=moment.after), name, number))
        if steps:
            self.messages[name], self.open_steps[name] = accepted, len(steps)

    def _report(self, due: Due) -> None:
        accepted = self.messages[due.file]
        moment: Moment = steps_of(accepted.outcome)[due.moment]
        if accepted.channel == "email":
            event = build_event(accepted, moment.step, due.at)
            reports: tuple[Event | Post, ...] = (event,) if event else ()
        else:
            reports = build_reports(accepted, moment.step, due.at)
        unsent = [each for each in reports if not self._deliver(each)]
        if unsent and due.tries + 1 < TRIES:
            heapq.heappush(self.due, Due(self.now() + RETRY_DELAY, due.file, due.moment, due.tries + 1))
            return
        if unsent:
            log.warning("a report of %s failed %d times; dropped", due.file, TRIES)
        self.open_steps[due.file] -= 1
        if not self.open_steps[due.file]:
            del self.open_steps[due.file], self.messages[due.file]

    def _deliver(self, report: Event | Post) -> bool:
        return self.publish(report) if isinstance(report, Event) else self.post(report)

    def _save_position(self) -> None:
        """Save the position before the oldest message that has an open step."""
        done = {}
        for ending, last in self.read.items():
            pending = [name for name in self.open_steps if name.endswith(ending)]
            done[ending] = _before(min(pending)) if pending else last
        if done != self.done:
            self.done = done
            write_atomically(self.position, json.dumps(done))


def _before(name: str) -> str:
    """Return a string that sorts before this name and after all smaller names."""
    return name[:-1]
