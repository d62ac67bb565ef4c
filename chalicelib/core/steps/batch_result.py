"""Collect what one batch of steps changed in one flow: counters, next steps, errors and events."""

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
    """An exception that was handled. `where` holds ids only, no personal data."""

    where: str
    error: Exception


@dataclass(frozen=True, slots=True)
class StepReport:
    """The result of all batches of one SQS event."""

    #: Ids of the SQS messages to deliver again.
    returned: frozenset[str]
    #: Faults for the log.
    faults: tuple[Fault, ...]
    #: Changes of the statistics of all flows together, `channelPauses` and `lowBalances`.
    counted: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class BatchResult:
    """The changes of one batch, stored and enqueued when the batch closes."""

    #: Id under which the sends of the batch are registered as in flight; None while none is.
    in_flight: str | None = None
    counters: Counter[str] = field(default_factory=Counter)
    next_steps: list[ScheduledStep] = field(default_factory=list)
    errors: list[Mapping[str, object]] = field(default_factory=list)
    #: Executions that ended in this batch.
    ended: int = 0
    faults: list[Fault] = field(default_factory=list)
    #: 1 if the batch paused the flow because a circuit is open, else 0.
    channel_pauses: int = 0
    #: 1 if the batch raised the alert about a low balance, else 0.
    low_balances: int = 0
    #: Names of the execution events that a webhook subscribes to.
    subscribed: frozenset[str] = frozenset()
    events: list[Event] = field(default_factory=list)

    def record_save(self, before: Execution, after: Execution, now: datetime) -> None:
        """Count the difference between two stored states, and schedule the next step if the execution is open."""
        self.counters.update(difference(before, after))
        if self.subscribed:
            self.events.extend(execution_events(before, after, self.subscribed))
        if after.is_open:
            self.schedule(after, after.due or now)
            return
        self.ended += 1
        if after.status is ExecutionStatus.FAILED:
            self.errors.append(_error(after))

    def schedule(self, execution: Execution, due: datetime) -> None:
        """Enqueue the execution's current step for `due` when the batch closes."""
        self.next_steps.append(ScheduledStep(build_step_message(execution.key, execution.seq), due))

    def record_fault(self, execution: Execution, error: Exception) -> None:
        """Keep a fault of code or data for the log."""
        key = execution.key
        self.faults.append(Fault(f"flow {key.flow} contact {key.contact} node {execution.node}", error))


def _error(execution: Execution) -> Mapping[str, object]:
    result = execution.results.get(execution.node) if execution.node else None
    return {
        "contactUid": execution.key.contact,
        "nodeId": execution.node,
        "code": execution.reason,
        "message": f"{execution.reason} at {execution.node}",
        "at": rfc3339(execution.updated),
        "attempt": result.attempts if result else execution.attempt,
    }
