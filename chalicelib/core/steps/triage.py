"""Compare step messages with the stored executions, and find the executions to process now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chalicelib.core.steps.batch_result import BatchResult
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import StepMessage
from chalicelib.ports import Ports


@dataclass(frozen=True, slots=True)
class ReceivedStep:
    """A step message from the queue. `id`: SQS message id; `deliveries`: how often it was delivered, from 1."""

    id: str
    message: StepMessage
    deliveries: int = 1


class StepDisposition(StrEnum):
    """What to do with a step message."""

    #: The step was processed, or the execution is over.
    DROP = "drop"
    #: The step was processed, but its next step message may be lost: enqueue it again.
    REENQUEUE = "reenqueue"
    #: Another worker holds the execution, or the message is ahead of what was read: return it to the queue.
    RETURN = "return"
    #: The step is due later.
    POSTPONE = "postpone"
    RUN = "run"


@dataclass(slots=True)
class FlowBatch:
    """The step messages of one flow in one delivery of the queue."""

    ports: Ports
    workspace: WorkspaceUid
    flow: Flow
    received: dict[ExecutionKey, list[ReceivedStep]]
    time_left: Callable[[], timedelta]
    result: BatchResult = field(default_factory=BatchResult)
    #: Ids of the messages that return to the queue.
    returned: set[str] = field(default_factory=set)

    def reserved_start(self, key: ExecutionKey) -> datetime | None:
        """Return the start time that the pacing has reserved, from the step message."""
        starts = [
            received.message.pacing_slot_ms
            for received in self.received[key]
            if received.message.pacing_slot_ms is not None
        ]
        return datetime.fromtimestamp(max(starts) / 1000, UTC) if starts else None

    def rate_slot(self, key: ExecutionKey) -> datetime | None:
        """Return the reserved slot of the channel's rate limit, from the step message."""
        return max((slot for received in self.received[key] if (slot := received.message.rate_slot)), default=None)

    def return_to_queue(self, key: ExecutionKey) -> None:
        """Return the step messages of the execution to the queue."""
        self.returned.update(received.id for received in self.received[key])


def load_executions(batch: FlowBatch) -> dict[ExecutionKey, Execution]:
    """Load the executions of the batch, by an eventually consistent read, which costs half.

    An outdated read costs no more than a refused write, because every write is conditional on `seq`. But it must not
    drop or return a message, or judge a lost response without a receipt that came just now. So an execution that is not
    simply ready for its step is read again with strong consistency.
    """
    ports, shards = batch.ports, batch.flow.shards
    found = ports.executions.find_many(list(batch.received), shards, strong=False)
    unclear = [key for key, group in batch.received.items() if not _is_ready(ports, group, found.get(key))]
    if unclear:
        found = {key: execution for key, execution in found.items() if key not in unclear}
        found |= ports.executions.find_many(unclear, shards, strong=True)
    return found


def _is_ready(ports: Ports, group: Sequence[ReceivedStep], execution: Execution | None) -> bool:
    if execution is None or execution.claim or execution.answer_lost:
        return False
    return all(each.deliveries == 1 and _disposition(ports, each, execution) is StepDisposition.RUN for each in group)


def find_runnable(batch: FlowBatch, found: dict[ExecutionKey, Execution]) -> list[Execution]:
    """Return the executions to process now. Drops, postpones or returns the other step messages."""
    return [execution for key in batch.received if (execution := _triage(batch, key, found.get(key))) is not None]


def _triage(batch: FlowBatch, key: ExecutionKey, execution: Execution | None) -> Execution | None:
    dispositions = [_disposition(batch.ports, received, execution) for received in batch.received[key]]
    if execution is None or StepDisposition.RUN in dispositions:
        return execution if StepDisposition.RUN in dispositions else None
    if StepDisposition.POSTPONE in dispositions or StepDisposition.REENQUEUE in dispositions:
        batch.result.schedule(execution, execution.due or batch.ports.clock.now())
    elif StepDisposition.RETURN in dispositions:
        batch.return_to_queue(key)
    return None


def _disposition(ports: Ports, received: ReceivedStep, execution: Execution | None) -> StepDisposition:
    if execution is None or not execution.is_open:
        return StepDisposition.DROP
    if received.message.seq < execution.seq:
        # Only a redelivered message: otherwise one duplicate would start a second chain of step messages.
        is_repeated = received.deliveries > 1 or received.message.redriven
        return StepDisposition.REENQUEUE if is_repeated else StepDisposition.DROP
    if received.message.seq > execution.seq or (execution.claim and execution.claim.until > ports.clock.real()):
        return StepDisposition.RETURN
    return StepDisposition.POSTPONE if execution.due and execution.due > ports.clock.now() else StepDisposition.RUN
