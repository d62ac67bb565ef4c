"""What a batch has done to the rows of one flow: counters to add, hints to send, errors to keep."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.core.flows.progress import difference
from chalicelib.core.notifications.webhook_events import execution_events
from chalicelib.model.base import rfc3339
from chalicelib.model.event import Event
from chalicelib.model.execution import Execution, ExecutionStatus
from chalicelib.model.queue_messages import ScheduledStep, build_step_message


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception that was dealt with; `where` holds ids only."""

    where: str
    error: Exception


@dataclass(slots=True)
class BatchResult:
    """`batch` is set when sends were registered as in flight; `ended` counts executions that are over now."""

    batch: str | None = None
    counters: Counter[str] = field(default_factory=Counter)
    hints: list[ScheduledStep] = field(default_factory=list)
    errors: list[Mapping[str, object]] = field(default_factory=list)
    ended: int = 0
    faults: list[Fault] = field(default_factory=list)
    #: How often the flow was paused because its channel refused one message after the other: 0 or 1.
    channel_pauses: int = 0
    #: How often it was told that the balance is low: 0 or 1.
    low_balances: int = 0
    #: The events of rows that a webhook wants, and those that there were.
    wanted: frozenset[str] = frozenset()
    news: list[Event] = field(default_factory=list)

    def moved(self, before: Execution, after: Execution, now: datetime) -> None:
        """A row was saved: count the difference, and hint its next step if it has one."""
        self.counters.update(difference(before, after))
        if self.wanted:
            self.news.extend(execution_events(before, after, self.wanted))
        if after.is_open:
            self.hints.append(ScheduledStep(build_step_message(after.key, after.seq), after.due or now))
            return
        self.ended += 1
        if after.status is ExecutionStatus.FAILED:
            self.errors.append(_error(after))

    def note_fault(self, row: Execution, error: Exception) -> None:
        """Remembers a fault of code or data for the log."""
        self.faults.append(Fault(f"flow {row.key.flow} contact {row.key.contact} node {row.node}", error))


def _error(row: Execution) -> Mapping[str, object]:
    result = row.results.get(row.node) if row.node else None
    return {
        "contactUid": row.key.contact,
        "nodeId": row.node,
        "code": row.reason,
        "message": f"{row.reason} at {row.node}",
        "at": rfc3339(row.updated),
        "attempt": result.attempts if result else row.attempt,
    }
