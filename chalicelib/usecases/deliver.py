"""Delivers the letters of one batch: admit, claim, look once more, send, settle."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.engine.breaker import ChannelHealth, Misfire, fault_of, unpaid
from chalicelib.engine.campaign_state import BALANCE
from chalicelib.engine.interpreter import Advance, Skip, advance
from chalicelib.engine.pacing import TOLERANCE, Turn
from chalicelib.engine.progress import difference
from chalicelib.engine.settle import SHORTEST_WAIT, settle
from chalicelib.errors import GiveUp, RetryLater
from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Claim, Engagement, Execution, ExecutionKey, ExecutionStatus, Outcome, Receipt
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.hints import DueHint, hint_of
from chalicelib.model.ids import AttemptId, ContactUid, NodeId, new_uid
from chalicelib.model.message import Accepted, Permanent, Suppress, Throttled, Unknown, Verdict
from chalicelib.ports import ClaimedBy, Ports, Save, Unclaimed
from chalicelib.usecases.admit_ready import (
    LEASE,
    Delivery,
    Ready,
    buy,
    enter_gate,
    give_change,
    heed_circuits,
    leave_gate,
    meet_rates,
    pause_by_circuit,
    register,
)
from chalicelib.usecases.change_flow import pause_flow
from chalicelib.usecases.heed_circuit import note_probe, open_circuit
from chalicelib.usecases.keep_rate import hold_channel
from chalicelib.usecases.ledger import Ledger
from chalicelib.usecases.load_plan import Plan
from chalicelib.usecases.note_unreachable import note_unreachable
from chalicelib.usecases.retag_contact import Tagging
from chalicelib.usecases.suppress_address import suppress_recipient

#: Time kept for settling, hints and statistics after the last send of a batch.
RESERVE = timedelta(seconds=5)
#: Accepted messages are saved at least this often: what a crash can make unknown stays small.
FLUSH_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row that is ours until the lease ends; `turn` is when its send may start in a paced flow."""

    ready: Ready
    attempt: AttemptId
    turn: Turn | None

    @property
    def offer_before(self) -> int:
        """From which offer on the step was, before the claim chose one."""
        stored = self.ready.stored
        return stored.offer if stored.node == self.ready.row.node else 0


@dataclass(slots=True)
class _Learnt:
    """What the answers of a batch say of its channels; `spoilt` is the one that spoils everything."""

    probes: dict[str, Verdict] = field(default_factory=dict)
    #: Channels that want it slower, and until when nothing is to be sent by them.
    held: dict[str, datetime] = field(default_factory=dict)
    spoilt: Channel | None = None
    #: What the provider says of its unpaid account.
    unpaid: str | None = None
    misfires: tuple[Misfire, ...] = ()


#: Lives as long as the worker.
_health = ChannelHealth()


def deliver(
    ports: Ports, plan: Plan, ready: Sequence[Ready], ledger: Ledger, time_left: Callable[[], timedelta]
) -> tuple[ExecutionKey, ...]:
    """Sends what may be sent now, notes in the ledger what came of it, and returns the rows that others hold."""
    delivery = Delivery(ports, plan, ledger, time_left, new_uid())
    passing = heed_circuits(delivery, ready)
    turns = enter_gate(delivery, passing)
    admitted = passing[: len(turns)] if turns is not None else passing
    going, kept = meet_rates(delivery, admitted, turns)
    claimed, refused = _claim(delivery, buy(delivery, going), kept)
    late = _send_all(delivery, _register(delivery, claimed)) if claimed else {}
    give_change(delivery)
    if turns:
        leave_gate(delivery, late)
    return refused


def _register(delivery: Delivery, claimed: Sequence[_Claimed]) -> list[_Claimed]:
    """Enters the claims in the flow's register of sends in flight, then looks whether they may still be sent."""
    try:
        register(delivery, len(claimed))
        return _confirm(delivery, claimed)
    except RetryLater:
        # Nothing was sent: a claim left on the row would be taken for a lost send.
        _release(delivery, claimed, hint=False)
        raise


def _claim(
    delivery: Delivery, ready: Sequence[Ready], turns: Sequence[Turn] | None
) -> tuple[list[_Claimed], tuple[ExecutionKey, ...]]:
    real_now = delivery.ports.clock.real()
    attempts = [AttemptId(f"{delivery.batch}-{index}") for index in range(len(ready))]
    saves = [
        Save(_with_claim(each, attempt, real_now + LEASE), Unclaimed.as_seen(each.stored, real_now))
        for each, attempt in zip(ready, attempts, strict=True)
    ]
    held = delivery.ports.executions.save_many(saves, delivery.plan.flow.shards) if saves else ()
    taken: Sequence[Turn | None] = turns[: len(ready)] if turns is not None else [None] * len(ready)
    claimed = [
        _Claimed(replace(each, row=save.row), attempt, turn)
        for each, save, attempt, turn, ok in zip(ready, saves, attempts, taken, held, strict=True)
        if ok
    ]
    return claimed, tuple(each.stored.key for each, ok in zip(ready, held, strict=True) if not ok)


def _with_claim(ready: Ready, attempt: AttemptId, until: datetime) -> Execution:
    node = NodeId(ready.letter.uid.node)
    claim = Claim(attempt, until, node, ready.letter.cost)
    return replace(ready.row, status=ExecutionStatus.PROCESSING, claim=claim, offer=ready.letter.uid.offer)


def _confirm(delivery: Delivery, claimed: Sequence[_Claimed]) -> list[_Claimed]:
    """Looks once more, after the claims are registered: an acknowledged pause, opt-out or erasure stops a send here.

    Whoever writes such a thing and then reads the register has counted every send that passes this point.
    """
    ports, workspace = delivery.ports, delivery.workspace
    flow = ports.catalog.find(workspace, Flow, delivery.flow)
    if flow is None or flow.status is not FlowStatus.RUNNING:
        _release(delivery, claimed, hint=False)
        return []
    uids = [ContactUid(each.ready.contact.uid) for each in claimed]
    contacts = ports.contacts.find_many(workspace, uids, strong=True)
    confirmed, withdrawn = [], []
    for each in claimed:
        fresh = _fresh(delivery, each, contacts.get(ContactUid(each.ready.contact.uid)))
        confirmed += [fresh] if fresh else []
        withdrawn += [] if fresh else [each]
    _release(delivery, withdrawn, hint=True)
    return confirmed


def _fresh(delivery: Delivery, claimed: _Claimed, contact: Contact | None) -> _Claimed | None:
    """The claim with its letter written for the contact as it is now, None when it is not to be sent."""
    if contact is None:
        return None
    if contact.rev == claimed.ready.contact.rev:
        return claimed
    try:
        ready = claimed.ready
        answer = delivery.plan.consider(delivery.plan.graph.nodes[ready.letter.uid.node], ready.row, contact)
    except GiveUp:
        return None
    if isinstance(answer, Skip) or (answer.uid, answer.cost) != (ready.letter.uid, ready.letter.cost):
        # What may be sent now is not what was claimed and paid for.
        return None
    return replace(claimed, ready=replace(claimed.ready, letter=answer, contact=contact))


def _release(delivery: Delivery, claimed: Sequence[_Claimed], *, hint: bool) -> None:
    """Gives claims back unused. Without a hint the rows wait for a resume; with one, the step is decided anew."""
    rows = [
        replace(each.ready.row, claim=None, status=ExecutionStatus.PENDING, offer=each.offer_before) for each in claimed
    ]
    saves = [Save(row, ClaimedBy(each.attempt)) for row, each in zip(rows, claimed, strict=True)]
    held = delivery.ports.executions.save_many(saves, delivery.plan.flow.shards) if saves else ()
    for each, row, ok in zip(claimed, rows, held, strict=True):
        if ok:
            delivery.ledger.counters.update(difference(each.ready.stored, row))
        if ok and hint:
            delivery.ledger.hints.append(DueHint(hint_of(row.key, row.seq), delivery.ports.clock.now()))
        if not ok:
            delivery.spent += each.ready.letter.cost


def _send_all(delivery: Delivery, claimed: Sequence[_Claimed]) -> dict[int, datetime]:
    """Sends in the order of the slots, one at a time; returns, by lane, the last start that was late.

    A channel that spoils one message after the other pauses the flow: it waits for its operator.
    """
    clock = delivery.ports.clock
    late: dict[int, datetime] = {}
    unsaved: list[tuple[_Claimed, Verdict]] = []
    oldest = clock.real()
    learnt = _Learnt()
    back: list[_Claimed] = []
    for index, each in enumerate(claimed):
        channel = each.ready.letter.channel
        if delivery.time_left() < _timeout(delivery, each) + RESERVE:
            _release(delivery, claimed[index:], hint=True)
            break
        if channel.uid in learnt.held:
            back.append(each)
            continue
        late.update(_await_turn(delivery, each))
        oldest = oldest if unsaved else clock.real()
        verdict = _send(delivery, each)
        unsaved.append((each, verdict))
        _learn(delivery, learnt, channel, verdict)
        if learnt.spoilt or learnt.unpaid is not None:
            _release(delivery, claimed[index + 1 :], hint=False)
            break
        if clock.real() - oldest > FLUSH_AFTER:
            _settle_or_release(delivery, unsaved, [*back, *claimed[index + 1 :]])
            unsaved = []
    _settle_or_release(delivery, unsaved, back)
    _release(delivery, back, hint=True)
    _heed(delivery, learnt)
    return late


def _learn(delivery: Delivery, learnt: _Learnt, channel: Channel, verdict: Verdict) -> None:
    """Remembers what an answer says of its channel; nothing is written before the messages are saved."""
    misfires = _health.note(channel.uid, verdict, delivery.ports.clock.real())
    if isinstance(verdict, Throttled):
        learnt.held[channel.uid] = delivery.ports.clock.now() + max(SHORTEST_WAIT, verdict.after or SHORTEST_WAIT)
    learnt.unpaid = unpaid(verdict)
    code = fault_of(verdict)
    if code is not None and channel.uid in delivery.probing:
        misfires = misfires or (Misfire(delivery.ports.clock.real(), code),)
    if misfires:
        learnt.spoilt, learnt.misfires = channel, misfires
    elif channel.uid in delivery.probing:
        learnt.probes[channel.uid] = verdict


def _heed(delivery: Delivery, learnt: _Learnt) -> None:
    """Moves circuits and rates. The pause comes last: if it is lost, the next step meets the open circuit."""
    ports, workspace = delivery.ports, delivery.workspace
    for uid, until in learnt.held.items():
        hold_channel(ports, workspace, uid, until)
    for uid, verdict in learnt.probes.items():
        note_probe(ports, workspace, uid, verdict)
    if learnt.unpaid is not None:
        pause_flow(ports, workspace, delivery.flow, f"{BALANCE}: {learnt.unpaid}")
    if learnt.spoilt:
        circuit = open_circuit(ports, workspace, learnt.spoilt.uid, learnt.misfires)
        pause_by_circuit(delivery, learnt.spoilt, circuit)


def _await_turn(delivery: Delivery, claimed: _Claimed) -> dict[int, datetime]:
    """Sleeps up to gate's and rate's slots; the lane and the start when that was late by more than the tolerance."""
    turn, clock = claimed.turn, delivery.ports.clock
    slots = [slot for slot in (claimed.ready.slot, turn.slot if turn else None) if slot]
    if slots and max(slots) > clock.now():
        clock.sleep(max(slots) - clock.now())
    start = clock.now()
    return {turn.lane: start} if turn and start - turn.slot > TOLERANCE * clock.speed else {}


def _timeout(delivery: Delivery, claimed: _Claimed) -> timedelta:
    return delivery.plan.channel_types[claimed.ready.letter.channel.type].timeout


def _send(delivery: Delivery, claimed: _Claimed) -> Verdict:
    letter = claimed.ready.letter
    try:
        return delivery.plan.channel_types[letter.channel.type].send(letter)
    except Exception as error:  # noqa: BLE001 - whatever an adapter forgot, the provider may have taken the message
        return Unknown(type(error).__name__)


def _settle_or_release(
    delivery: Delivery, sent: Sequence[tuple[_Claimed, Verdict]], unsent: Sequence[_Claimed]
) -> None:
    """When what was sent cannot be saved, the rest is not sent: a claim left behind would be taken for a lost send."""
    try:
        _settle(delivery, sent)
    except RetryLater:
        _release(delivery, unsent, hint=False)
        raise


def _settle(delivery: Delivery, sent: Sequence[tuple[_Claimed, Verdict]]) -> None:
    rows = _do_tags(delivery, [(each, _after(delivery, each, verdict)) for each, verdict in sent])
    saves = [
        Save(replace(row, seq=each.ready.row.seq + 1), ClaimedBy(each.attempt))
        for row, (each, _) in zip(rows, sent, strict=True)
    ]
    held = delivery.ports.executions.save_many(saves, delivery.plan.flow.shards) if saves else ()
    for (each, verdict), save, ok in zip(sent, saves, held, strict=True):
        result = save.row.results.get(NodeId(each.ready.letter.uid.node)) if ok else None
        # Whoever took the row from us has written the message down as one that may have been sent.
        delivery.spent += (result.cost if result else 0) if ok else each.ready.letter.cost
        if ok:
            delivery.ledger.moved(each.ready.stored, save.row, delivery.ports.clock.now())
            if isinstance(verdict, Suppress | Permanent):
                _remember(delivery, each.ready, verdict)
        elif isinstance(verdict, Accepted):
            _came_too_late(delivery, each)


def _remember(delivery: Delivery, ready: Ready, verdict: Suppress | Permanent) -> None:
    """The provider knows of a no, or of an address, what we had not heard. Forgetting it costs one more refusal."""
    letter, workspace = ready.letter, delivery.workspace
    with suppress(RetryLater):
        if verdict.code in delivery.plan.channel_types[letter.channel.type].incapable:
            note_unreachable(delivery.ports, workspace, letter.uid.contact, letter.channel.type)
        elif isinstance(verdict, Suppress):
            suppress_recipient(delivery.ports, workspace, letter, ready.contact)


def _after(delivery: Delivery, claimed: _Claimed, verdict: Verdict) -> Advance:
    """The row after the verdict, walked on to its next effect."""
    row, letter = claimed.ready.row, claimed.ready.letter
    attempt = delivery.plan.attempt_at(row, letter.uid.node, delivery.ports, letter)
    if isinstance(verdict, Suppress | Permanent):
        attempt = replace(attempt, next_offer=_next_offer(delivery, claimed))
    settled = settle(row, attempt, verdict)
    if settled.is_open and letter.uid.node in settled.results:
        try:
            return advance(settled, delivery.plan.scene(claimed.ready.contact, delivery.ports))
        except Exception as error:  # noqa: BLE001 - the message is out: saved as such, the next step meets the fault
            delivery.ledger.note_fault(settled, error)
    return Advance(settled)


def _do_tags(delivery: Delivery, walked: Sequence[tuple[_Claimed, Advance]]) -> list[Execution]:
    """The rows behind the TAGs at which they stand; any other effect is the next step's, and so is a TAG that failed.

    A step of its own would cost a TAG twice what it costs here.
    """
    tagging = Tagging(delivery.ports, delivery.plan)
    with suppress(RetryLater):
        tagging.change_together((each, claimed.ready.contact) for claimed, each in walked)
    rows = []
    for claimed, each in walked:
        try:
            rows.append(tagging.walk_on(each, claimed.ready.contact))
        except (GiveUp, RetryLater):
            rows.append(each.row)
        except Exception as error:  # noqa: BLE001 - as above: the message is out
            delivery.ledger.note_fault(each.row, error)
            rows.append(each.row)
    return rows


def _next_offer(delivery: Delivery, claimed: _Claimed) -> int | None:
    ready = claimed.ready
    try:
        return delivery.plan.next_offer(ready.letter, ready.row, ready.contact)
    except Exception as error:  # noqa: BLE001 - the refusal is to be saved, whatever is wrong with the fallback
        delivery.ledger.note_fault(ready.row, error)
        return None


def _came_too_late(delivery: Delivery, claimed: _Claimed) -> None:
    """The lease ran out and somebody wrote `unknown`; we know better, so it becomes sent as if by a receipt."""
    key, node = claimed.ready.row.key, NodeId(claimed.ready.letter.uid.node)
    receipt = Receipt(Engagement.SENT, delivery.ports.clock.now())
    changed = delivery.ports.executions.put_receipt(key, delivery.plan.flow.shards, node, receipt)
    if changed and changed[0].results.get(node, None) and changed[0].results[node].outcome is Outcome.UNKNOWN:
        delivery.ledger.counters.update(difference(*changed))
