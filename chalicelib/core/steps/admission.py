"""Which letters of a batch may go now: past their channels' circuits, the flow's gate, the channels' rates."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.core.billing.charge_messages import withdraw
from chalicelib.core.campaigns.campaign_state import BALANCE
from chalicelib.core.channels.acquire_rate import Said, SendLater, reserve_slots
from chalicelib.core.channels.circuit_breaker import CircuitDecision
from chalicelib.core.channels.circuit_check import acquire_circuit, circuit_pause_reason
from chalicelib.core.channels.pacing import Permit, PermitRequest, Reservation, grant_permits, release_permits
from chalicelib.core.flows.control_flow import pause_flow
from chalicelib.core.notifications.raise_alert import raise_circuit_alert
from chalicelib.core.steps.batch_result import BatchResult
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.errors import RetryLater
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution, ExecutionKey
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.queue_messages import ScheduledStep, build_step_message
from chalicelib.ports import Ports, RateState

#: A claim outlives the longest run of the steps function (30 s), so that no live worker ever loses one.
LEASE = timedelta(seconds=45)
#: Tries to get through the gate against other workers before coming back later.
GATE_TRIES = 5
#: Those who wait for another worker's probe, or for what others leave unspent, ask again after this.
ASK_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class SendCandidate:
    """A row as it is stored, as it stands at the SEND, and the letter for it."""

    stored: Execution
    row: Execution
    letter: OutgoingMessage
    contact: Contact
    #: The slot that the gate promised when the row came too early.
    promised: datetime | None = None
    #: The slot of its channel's rate that is kept for it; of an admitted letter, when it goes.
    slot: datetime | None = None

    @property
    def price(self) -> int:
        """What is still to be paid: a try before this one, whose answer was lost, has paid for the same message."""
        return max(0, self.letter.cost - self.row.paid)


@dataclass(slots=True)
class SendBatch:
    """One batch of one flow on its way out; `probing`: channels that it was let try."""

    ports: Ports
    plan: SendPlan
    ledger: BatchResult
    time_left: Callable[[], timedelta]
    batch: str
    probing: set[str] = field(default_factory=set)
    #: Of a prepaid flow: whether the batch is registered already, what it took from the purse and what is spent of it.
    is_registered: bool = False
    paid: int = 0
    spent: int = 0
    #: Rows of which it is not known whether our last write holds: the queue brings their steps again.
    undecided: list[ExecutionKey] = field(default_factory=list)

    @property
    def workspace(self) -> WorkspaceUid:
        return WorkspaceUid(self.plan.workspace.uid)

    @property
    def flow(self) -> FlowUid:
        return FlowUid(self.plan.flow.uid)


def check_circuits(delivery: SendBatch, ready: Sequence[SendCandidate]) -> list[SendCandidate]:
    """Those that may pass. One open circuit pauses the flow, and then nobody does: the rows wait for a resume.

    Only one letter probes a channel; the others wait for what becomes of it.
    """
    if all(circuit.since is None for circuit in delivery.plan.circuits.values()):
        return list(ready)
    said: dict[str, CircuitDecision] = {}
    passing: list[SendCandidate] = []
    for each in ready:
        channel = each.letter.channel
        if channel.uid not in said:
            said[channel.uid], circuit = _ask(delivery, channel.uid)
            if said[channel.uid] is CircuitDecision.SHUT:
                pause_by_circuit(delivery, channel, circuit)
                return []
        if said[channel.uid] is CircuitDecision.WAIT:
            _hint(delivery, each, delivery.ports.clock.now() + ASK_AGAIN * delivery.ports.clock.speed)
            continue
        passing.append(each)
        if said[channel.uid] is CircuitDecision.PROBE:
            delivery.probing.add(channel.uid)
            said[channel.uid] = CircuitDecision.WAIT
    return passing


def pause_by_circuit(delivery: SendBatch, channel: Channel, circuit: Circuit) -> None:
    """Tells of it and pauses the flow; if that is lost, the next step meets the open circuit and does it again."""
    raise_circuit_alert(delivery.ports, delivery.workspace, channel, circuit)
    pause_flow(delivery.ports, delivery.workspace, delivery.flow, *circuit_pause_reason(channel, circuit))
    delivery.ledger.channel_pauses += 1


def apply_rate_limits(
    delivery: SendBatch, ready: Sequence[SendCandidate], turns: Sequence[Permit] | None
) -> tuple[list[SendCandidate], list[Permit] | None]:
    """Those whose channels have a slot within reach, with their turns; the others are hinted for theirs.

    A turn that a channel is too slow for is lost: then the channel paces the flow, not its gate.
    """
    said: dict[int, Said] = {}
    for uid in dict.fromkeys(each.letter.channel.uid for each in ready):
        those = [index for index, each in enumerate(ready) if each.letter.channel.uid == uid]
        channel, line = ready[those[0]].letter.channel, delivery.plan.lines.get(uid, RateState())
        kept = [ready[index].slot for index in those]
        said |= dict(zip(those, reserve_slots(delivery.ports, delivery.workspace, channel, line, kept), strict=True))
    going: list[tuple[SendCandidate, Permit | None]] = []
    for index, each in enumerate(ready):
        answer = said[index]
        if isinstance(answer, SendLater):
            hint = build_step_message(each.stored.key, each.stored.seq, rate_slot=answer.slot)
            delivery.ledger.hints.append(ScheduledStep(hint, answer.moment))
        else:
            going.append((replace(each, slot=answer.slot), turns[index] if turns is not None else None))
    if turns is None:
        going.sort(key=lambda pair: pair[0].slot or delivery.ports.clock.now())
    return [each for each, _ in going], None if turns is None else [turn for _, turn in going if turn]


def register_in_flight(delivery: SendBatch, count: int) -> None:
    """Enters the batch in the flow's register of sends in flight, once."""
    if delivery.is_registered:
        return
    delivery.ledger.batch = delivery.batch
    until = delivery.ports.clock.real() + LEASE
    epoch = delivery.plan.flow.stats_epoch
    delivery.ports.statistics.enter(delivery.workspace, delivery.flow, epoch, delivery.batch, count, until)
    delivery.is_registered = True


def charge_batch(delivery: SendBatch, ready: Sequence[SendCandidate]) -> list[SendCandidate]:
    """Those that can be paid for, and the others come again, as what is refused is not spent; for none it pauses.

    Registered first and paid before the claims: so money that a crash leaves on no row is known to be nobody's, and
    no row can have a message that was not paid for.
    """
    costs = [each.price for each in ready]
    if not delivery.plan.flow.prepaid or not sum(costs):
        return list(ready)
    register_in_flight(delivery, len(ready))
    paid = withdraw(delivery.ports, delivery.workspace, delivery.flow, costs)
    count = paid.count
    delivery.ledger.low_balances += paid.low
    delivery.paid = sum(costs[:count])
    if count == 0 and not _may_come_back(delivery, costs[0]):
        pause_flow(delivery.ports, delivery.workspace, delivery.flow, BALANCE)
        return []
    for each in ready[count:]:
        _hint(delivery, each, delivery.ports.clock.now() + ASK_AGAIN * delivery.ports.clock.speed)
    return list(ready[:count])


def _may_come_back(delivery: SendBatch, cost: int) -> bool:
    """Whether others of the flow, who are sending, may give back what is refused, or have just done so.

    Leaves the register first, or two who have nothing would wait for each other. Who gives back does so before leaving.
    """
    workspace, flow, ports = delivery.workspace, delivery.flow, delivery.ports
    ports.statistics.leave(workspace, flow, delivery.plan.flow.stats_epoch, delivery.batch, {})
    delivery.is_registered, delivery.ledger.batch = False, None
    if ports.statistics.in_flight(workspace, flow, ports.clock.real()):
        return True
    return ports.balances.find_purse(workspace, flow).left >= cost


def refund_unspent(delivery: SendBatch) -> None:
    """What was refused, skipped or given back costs nothing. If this is lost, a count of the rows finds it."""
    if delivery.paid > delivery.spent:
        change = delivery.paid - delivery.spent
        with suppress(RetryLater):
            delivery.ports.balances.give_back(delivery.workspace, delivery.flow, change, delivery.batch)


def _ask(delivery: SendBatch, channel: str) -> tuple[CircuitDecision, Circuit]:
    until = delivery.ports.clock.real() + LEASE
    circuit = delivery.plan.circuits.get(channel, Circuit())
    return acquire_circuit(delivery.ports, delivery.workspace, channel, circuit, until)


def _hint(delivery: SendBatch, each: SendCandidate, moment: datetime) -> None:
    delivery.ledger.hints.append(ScheduledStep(build_step_message(each.stored.key, each.stored.seq), moment))


def acquire_permits(delivery: SendBatch, ready: Sequence[SendCandidate]) -> tuple[Permit, ...] | None:
    """Turns for the first of the batch, None when the flow is not paced; the others are hinted for later."""
    configuration, clock = delivery.plan.flow.configuration, delivery.ports.clock
    if configuration.lanes is None:
        return None
    for _ in range(GATE_TRIES):
        now, real_now = clock.now(), clock.real()
        epoch = delivery.plan.flow.epoch
        promised = tuple(each.promised for each in ready)
        asking = PermitRequest(
            delivery.batch, len(ready), epoch, now, real_now, real_now + LEASE, clock.speed, promised
        )
        stored = delivery.ports.gates.get(delivery.workspace, delivery.flow)
        admission = grant_permits(stored, asking, configuration)
        if delivery.ports.gates.save(delivery.workspace, delivery.flow, admission.gate):
            _postpone(delivery, ready[len(admission.turns) :], admission.come_back)
            return admission.turns
    soon = clock.now() + timedelta(seconds=1)
    _postpone(delivery, ready, [Reservation(soon, each.promised or soon) for each in ready])
    return ()


def _postpone(delivery: SendBatch, ready: Sequence[SendCandidate], promises: Sequence[Reservation]) -> None:
    for each, promise in zip(ready, promises, strict=True):
        hint = build_step_message(each.stored.key, each.stored.seq, promise.slot)
        delivery.ledger.hints.append(ScheduledStep(hint, promise.moment))


def return_permits(delivery: SendBatch, late: dict[int, datetime]) -> None:
    """A gate that cannot be left is left by its lease."""
    for _ in range(GATE_TRIES):
        stored = delivery.ports.gates.get(delivery.workspace, delivery.flow)
        left = release_permits(stored, delivery.batch, late, delivery.plan.flow.configuration)
        if delivery.ports.gates.save(delivery.workspace, delivery.flow, left):
            return
