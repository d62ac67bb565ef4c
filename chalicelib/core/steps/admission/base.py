"""The protocol of the admission checks, and what they read and return."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.core.channels.pacing import Permit
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.queue_messages import ScheduledStep, build_step_message
from chalicelib.ports import Ports

#: Lease of a claim. It exceeds the timeout of the steps function (30 s), so a running worker never loses a claim.
LEASE = timedelta(seconds=45)
#: Delay before a send is tried again that waits for another worker: for its probe, or for its unspent budget.
RETRY_DELAY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class SendBatch:
    """The sends of one flow in one run of a worker."""

    ports: Ports
    plan: SendPlan
    uid: str

    @property
    def workspace(self) -> WorkspaceUid:
        """The workspace of the flow."""
        return WorkspaceUid(self.plan.workspace.uid)

    @property
    def flow(self) -> FlowUid:
        """The uid of the flow."""
        return FlowUid(self.plan.flow.uid)


@dataclass(frozen=True, slots=True)
class SendCandidate:
    """An execution that stands at a SEND, and the message to send for it."""

    #: The execution as it is stored.
    stored: Execution
    #: The execution at the SEND; once claimed, with its claim.
    execution: Execution
    message: OutgoingMessage
    contact: Contact
    #: Start time that the pacing has reserved for this execution, from its step message.
    reserved_start: datetime | None = None
    #: Slot of the channel's rate limit: reserved for this execution, and after admission the time to send at.
    rate_slot: datetime | None = None
    #: Start time in a paced flow, given by the pacing check.
    permit: Permit | None = None
    #: Whether this send probes a channel with a half-open circuit.
    is_probe: bool = False

    @property
    def price(self) -> int:
        """Return what is still to be charged: an earlier attempt with a lost response has paid for the same message."""
        return max(0, self.message.cost - self.execution.paid)


@dataclass(frozen=True, slots=True)
class CircuitPause:
    """Pause the flow because the circuit of a channel is open."""

    channel: Channel
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class BudgetPause:
    """Pause the flow because its budget is used up."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The result of one or several checks."""

    admitted: tuple[SendCandidate, ...]
    postponed: tuple[ScheduledStep, ...] = ()
    #: Set when the flow must be paused; then nothing is admitted.
    pause: CircuitPause | BudgetPause | None = None
    #: Whether permits of the pacing are held, which must be returned after the sends.
    has_permits: bool = False
    #: Amount taken from the flow's budget for the admitted sends.
    charged: int = 0
    #: Whether the batch is registered as in flight.
    is_registered: bool = False
    #: Whether the alert about a low balance was raised.
    is_balance_low: bool = False

    def then(self, later: "Admission") -> "Admission":
        """Combine with the result of the next check, which saw what this one admitted."""
        return replace(
            later,
            postponed=self.postponed + later.postponed,
            has_permits=self.has_permits or later.has_permits,
            charged=self.charged + later.charged,
            is_registered=self.is_registered or later.is_registered,
            is_balance_low=self.is_balance_low or later.is_balance_low,
        )


class AdmissionCheck(Protocol):
    """One condition that sends must meet before they are claimed."""

    def __call__(self, batch: SendBatch, candidates: Sequence[SendCandidate]) -> Admission:
        """Admit some of the candidates, postpone the others, or ask for a pause of the flow."""


def postpone(candidate: SendCandidate, due: datetime) -> ScheduledStep:
    """Return the step message that brings the candidate back at `due`."""
    return ScheduledStep(build_step_message(candidate.stored.key, candidate.stored.seq), due)


def retry_time(batch: SendBatch) -> datetime:
    """Return when a send is tried again that waits for another worker."""
    return batch.ports.clock.now() + RETRY_DELAY * batch.ports.clock.speed


def register_in_flight(batch: SendBatch, count: int) -> None:
    """Register `count` sends of the batch as in flight, until the lease of their claims ends.

    A pause, an opt-out or an erasure is acknowledged only when no registered send can still go out.
    """
    until = batch.ports.clock.real() + LEASE
    epoch = batch.plan.flow.stats_epoch
    batch.ports.statistics.register_batch(batch.workspace, batch.flow, epoch, batch.uid, count, until)
