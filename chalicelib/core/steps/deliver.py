"""Delivers the letters of one batch: admit, claim, look once more, send, settle."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.core.campaigns.campaign_state import BALANCE
from chalicelib.core.channels.acquire_rate import throttle_channel
from chalicelib.core.channels.circuit_breaker import ChannelHealth, channel_failure_code
from chalicelib.core.channels.circuit_check import open_circuit, record_probe
from chalicelib.core.channels.pacing import TOLERANCE
from chalicelib.core.contacts.mark_unreachable import mark_unreachable
from chalicelib.core.flows.control_flow import pause_flow
from chalicelib.core.flows.progress import difference
from chalicelib.core.privacy.suppress_address import suppress_recipient
from chalicelib.core.steps.admission import (
    SendBatch,
    SendCandidate,
    acquire_permits,
    apply_rate_limits,
    charge_batch,
    check_circuits,
    pause_by_circuit,
    refund_unspent,
    register_in_flight,
    return_permits,
)
from chalicelib.core.steps.apply_send_result import SHORTEST_WAIT, apply_send_result
from chalicelib.core.steps.apply_tags import TagChanges
from chalicelib.core.steps.batch_result import BatchResult
from chalicelib.core.steps.claims import (
    ClaimedSend,
    claim_executions,
    release_claims,
    release_uncertain,
    save_with_retry,
)
from chalicelib.core.steps.interpreter import SkipMessage, WalkResult, advance, depends_on_contact
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.errors import GiveUp, RetryLater
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import ChannelFailureRecord
from chalicelib.model.contact import Contact
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionKey, MessageOutcome
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, NodeId, new_uid
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
)
from chalicelib.ports import ExpectClaimedBy, Ports, Save

#: Time kept for settling, hints and statistics after the last send of a batch.
RESERVE = timedelta(seconds=5)
#: Accepted messages are saved at least this often: what a crash can make unknown stays small.
FLUSH_AFTER = timedelta(seconds=1)


@dataclass(slots=True)
class _Learnt:
    """What the answers of a batch say of its channels; `spoilt` is the one that spoils everything."""

    probes: dict[str, SendResult] = field(default_factory=dict)
    #: Channels that want it slower, and until when nothing is to be sent by them.
    held: dict[str, datetime] = field(default_factory=dict)
    spoilt: Channel | None = None
    #: What the provider says of its unpaid account.
    unpaid: str | None = None
    misfires: tuple[ChannelFailureRecord, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether nothing more is to be sent, as the flow is going to be paused."""
        return self.spoilt is not None or self.unpaid is not None


#: Lives as long as the worker.
_health = ChannelHealth()


def deliver(
    ports: Ports,
    plan: SendPlan,
    ready: Sequence[SendCandidate],
    ledger: BatchResult,
    time_left: Callable[[], timedelta],
) -> tuple[ExecutionKey, ...]:
    """Sends what may be sent now, notes in the ledger what came of it, and returns the rows that others hold."""
    if time_left() < RESERVE:
        # What another flow of the batch took of the time is not there to give claims back.
        return tuple(each.stored.key for each in ready)
    delivery = SendBatch(ports, plan, ledger, time_left, new_uid())
    passing = check_circuits(delivery, ready)
    turns = acquire_permits(delivery, passing)
    admitted = passing[: len(turns)] if turns is not None else passing
    going, kept = apply_rate_limits(delivery, admitted, turns)
    claimed, doubtful, refused = claim_executions(delivery, charge_batch(delivery, going), kept)
    try:
        late = _send_all(delivery, _register(delivery, claimed)) if claimed else {}
    finally:
        release_uncertain(delivery, doubtful)
    refund_unspent(delivery)
    if turns:
        return_permits(delivery, late)
    return (*refused, *delivery.undecided)


def _register(delivery: SendBatch, claimed: Sequence[ClaimedSend]) -> list[ClaimedSend]:
    """Enters the claims in the flow's register of sends in flight, then looks whether they may still be sent."""
    try:
        register_in_flight(delivery, len(claimed))
        return _confirm(delivery, claimed)
    except RetryLater:
        # Nothing was sent: a claim left on the row would be taken for a lost send.
        release_claims(delivery, claimed, hint=False)
        raise


def _confirm(delivery: SendBatch, claimed: Sequence[ClaimedSend]) -> list[ClaimedSend]:
    """Looks once more, after the claims are registered: an acknowledged pause, opt-out or erasure stops a send here.

    Whoever writes such a thing and then reads the register has counted every send that passes this point.
    """
    ports, workspace = delivery.ports, delivery.workspace
    flow = ports.catalog.find(workspace, Flow, delivery.flow)
    if flow is None or flow.status is not FlowStatus.RUNNING:
        release_claims(delivery, claimed, hint=False)
        return []
    uids = [ContactUid(each.ready.contact.uid) for each in claimed]
    contacts = ports.contacts.find_many(workspace, uids, strong=True)
    confirmed, withdrawn = [], []
    for each in claimed:
        fresh = _fresh(delivery, each, contacts.get(ContactUid(each.ready.contact.uid)))
        confirmed += [fresh] if fresh else []
        withdrawn += [] if fresh else [each]
    release_claims(delivery, withdrawn, hint=True)
    return confirmed


def _fresh(delivery: SendBatch, claimed: ClaimedSend, contact: Contact | None) -> ClaimedSend | None:
    """The claim with its letter written for the contact as it is now, None when it is not to be sent."""
    if contact is None:
        return None
    if contact.rev == claimed.ready.contact.rev:
        return claimed
    if depends_on_contact(claimed.ready.stored, claimed.ready.row):
        # On the way to this message it was another contact.
        return None
    try:
        ready = claimed.ready
        answer = delivery.plan.consider(delivery.plan.graph.nodes[ready.letter.uid.node], ready.row, contact)
    except GiveUp:
        return None
    if isinstance(answer, SkipMessage) or (answer.uid, answer.cost) != (ready.letter.uid, ready.letter.cost):
        # What may be sent now is not what was claimed and paid for.
        return None
    return replace(claimed, ready=replace(claimed.ready, letter=answer, contact=contact))


def _send_all(delivery: SendBatch, claimed: Sequence[ClaimedSend]) -> dict[int, datetime]:
    """Sends in the order of the slots, one at a time; returns, by lane, the last start that was late.

    A channel that spoils one message after the other pauses the flow: it waits for its operator.
    """
    clock = delivery.ports.clock
    late: dict[int, datetime] = {}
    unsaved: list[tuple[ClaimedSend, SendResult]] = []
    oldest = clock.real()
    learnt = _Learnt()
    back: list[ClaimedSend] = []
    rest: Sequence[ClaimedSend] = ()
    for index, each in enumerate(claimed):
        channel = each.ready.letter.channel
        if delivery.time_left() < _timeout(delivery, each) + RESERVE:
            rest = claimed[index:]
            break
        if channel.uid in learnt.held:
            back.append(each)
            continue
        late.update(_await_turn(delivery, each))
        oldest = oldest if unsaved else clock.real()
        verdict = _send(delivery, each)
        unsaved.append((each, verdict))
        _learn(delivery, learnt, channel, verdict)
        if clock.real() - oldest > FLUSH_AFTER:
            _settle(delivery, unsaved)
            unsaved = []
        if learnt.stops or delivery.undecided:
            # What cannot be saved is not to become more.
            rest = claimed[index + 1 :]
            break
    # What is out comes first: giving back may take all the time that is left.
    _settle(delivery, unsaved)
    # A flow that is paused next needs no hints.
    release_claims(delivery, rest, hint=not learnt.stops)
    release_claims(delivery, back, hint=True)
    _heed(delivery, learnt)
    return late


def _learn(delivery: SendBatch, learnt: _Learnt, channel: Channel, verdict: SendResult) -> None:
    """Remembers what an answer says of its channel; nothing is written before the messages are saved."""
    misfires = _health.note(channel.uid, verdict, delivery.ports.clock.real())
    if isinstance(verdict, Throttled):
        learnt.held[channel.uid] = delivery.ports.clock.now() + max(SHORTEST_WAIT, verdict.after or SHORTEST_WAIT)
    learnt.unpaid = verdict.code if isinstance(verdict, AccountUnpaid) else None
    code = channel_failure_code(verdict)
    if code is not None and channel.uid in delivery.probing:
        misfires = misfires or (ChannelFailureRecord(delivery.ports.clock.real(), code),)
    if misfires:
        learnt.spoilt, learnt.misfires = channel, misfires
    elif channel.uid in delivery.probing:
        learnt.probes[channel.uid] = verdict


def _heed(delivery: SendBatch, learnt: _Learnt) -> None:
    """Moves circuits and rates. The pause comes last: if it is lost, the next step meets the open circuit."""
    ports, workspace = delivery.ports, delivery.workspace
    for uid, until in learnt.held.items():
        throttle_channel(ports, workspace, uid, until)
    for uid, verdict in learnt.probes.items():
        record_probe(ports, workspace, uid, verdict)
    if learnt.unpaid is not None:
        pause_flow(ports, workspace, delivery.flow, f"{BALANCE}: {learnt.unpaid}")
    if learnt.spoilt:
        circuit = open_circuit(ports, workspace, learnt.spoilt.uid, learnt.misfires)
        pause_by_circuit(delivery, learnt.spoilt, circuit)


def _await_turn(delivery: SendBatch, claimed: ClaimedSend) -> dict[int, datetime]:
    """Sleeps up to gate's and rate's slots; the lane and the start when that was late by more than the tolerance."""
    turn, clock = claimed.turn, delivery.ports.clock
    slots = [slot for slot in (claimed.ready.slot, turn.slot if turn else None) if slot]
    if slots and max(slots) > clock.now():
        clock.sleep(max(slots) - clock.now())
    start = clock.now()
    return {turn.lane: start} if turn and start - turn.slot > TOLERANCE * clock.speed else {}


def _timeout(delivery: SendBatch, claimed: ClaimedSend) -> timedelta:
    return delivery.plan.channel_types[claimed.ready.letter.channel.type].timeout


def _send(delivery: SendBatch, claimed: ClaimedSend) -> SendResult:
    letter = claimed.ready.letter
    try:
        return delivery.plan.channel_types[letter.channel.type].send(letter)
    except Exception as error:  # noqa: BLE001 - whatever an adapter forgot, the provider may have taken the message
        return OutcomeUnknown(type(error).__name__)


def _settle(delivery: SendBatch, sent: Sequence[tuple[ClaimedSend, SendResult]]) -> None:
    rows = _do_tags(delivery, [(each, _after(delivery, each, verdict)) for each, verdict in sent])
    saves = [
        Save(replace(row, seq=each.ready.row.seq + 1), ExpectClaimedBy(each.attempt))
        for row, (each, _) in zip(rows, sent, strict=True)
    ]
    held = save_with_retry(delivery, saves)
    for (each, verdict), save, ok in zip(sent, saves, held, strict=True):
        # Whoever took the row from us has written the message down as one that may have been sent.
        delivery.spent += _kept(each.ready, save.row) if ok else each.ready.price
        if ok:
            delivery.ledger.moved(each.ready.stored, save.row, delivery.ports.clock.now())
            if isinstance(verdict, RecipientSuppressed | PermanentFailure):
                _remember(delivery, each.ready, verdict)
        elif ok is None:
            delivery.undecided.append(save.row.key)
        elif isinstance(verdict, Accepted):
            with suppress(RetryLater):
                _came_too_late(delivery, each)


def _kept(ready: SendCandidate, after: Execution) -> int:
    """What the row keeps of the price that the batch has paid for it.

    Never less than nothing: what an earlier try paid only a count of the rows may free, as it may be doing that now.
    """
    result = after.results.get(NodeId(ready.letter.uid.node))
    return max(0, (result.cost if result else after.paid) - ready.row.paid)


def _remember(delivery: SendBatch, ready: SendCandidate, verdict: RecipientSuppressed | PermanentFailure) -> None:
    """The provider knows of a no, or of an address, what we had not heard. Forgetting it costs one more refusal."""
    letter, workspace = ready.letter, delivery.workspace
    with suppress(RetryLater):
        if verdict.code in delivery.plan.channel_types[letter.channel.type].incapable:
            mark_unreachable(delivery.ports, workspace, letter.uid.contact, letter.channel.type)
        elif isinstance(verdict, RecipientSuppressed):
            suppress_recipient(delivery.ports, workspace, letter, ready.contact)


def _after(delivery: SendBatch, claimed: ClaimedSend, verdict: SendResult) -> WalkResult:
    """The row after the verdict, walked on to its next effect."""
    row, letter = claimed.ready.row, claimed.ready.letter
    attempt = delivery.plan.attempt_at(row, letter.uid.node, delivery.ports, letter)
    if isinstance(verdict, RecipientSuppressed | PermanentFailure):
        attempt = replace(attempt, next_offer=_next_offer(delivery, claimed))
    settled = apply_send_result(row, attempt, verdict)
    if settled.is_open and letter.uid.node in settled.results:
        try:
            return advance(settled, delivery.plan.scene(claimed.ready.contact, delivery.ports))
        except Exception as error:  # noqa: BLE001 - the message is out: saved as such, the next step meets the fault
            delivery.ledger.note_fault(settled, error)
    return WalkResult(settled)


def _do_tags(delivery: SendBatch, walked: Sequence[tuple[ClaimedSend, WalkResult]]) -> list[Execution]:
    """The rows behind the TAGs at which they stand; any other effect is the next step's, and so is a TAG that failed.

    A step of its own would cost a TAG twice what it costs here.
    """
    tagging = TagChanges(delivery.ports, delivery.plan)
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


def _next_offer(delivery: SendBatch, claimed: ClaimedSend) -> int | None:
    ready = claimed.ready
    try:
        return delivery.plan.next_offer(ready.letter, ready.row, ready.contact)
    except Exception as error:  # noqa: BLE001 - the refusal is to be saved, whatever is wrong with the fallback
        delivery.ledger.note_fault(ready.row, error)
        return None


def _came_too_late(delivery: SendBatch, claimed: ClaimedSend) -> None:
    """The lease ran out and somebody wrote `unknown`; we know better, so it becomes sent as if by a receipt."""
    key, node = claimed.ready.row.key, NodeId(claimed.ready.letter.uid.node)
    receipt = DeliveryReceipt(Engagement.SENT, delivery.ports.clock.now())
    changed = delivery.ports.executions.put_receipt(key, delivery.plan.flow.shards, node, receipt)
    if changed and changed[0].results.get(node, None) and changed[0].results[node].outcome is MessageOutcome.UNKNOWN:
        delivery.ledger.counters.update(difference(*changed))
