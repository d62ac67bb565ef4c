"""Deliver the messages of one batch: admit, claim, confirm, send, save."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chalicelib.core.channels.pacing import TOLERANCE
from chalicelib.core.steps.admission.base import SendBatch, SendCandidate
from chalicelib.core.steps.admission.checks import admit
from chalicelib.core.steps.admission.pacing import return_permits
from chalicelib.core.steps.batch_result import BatchResult
from chalicelib.core.steps.channel_feedback import ChannelFeedback, apply_feedback
from chalicelib.core.steps.claims import ClaimedSend, claim_executions, confirm_claims
from chalicelib.core.steps.delivery import Delivery, Sent
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.errors import RetryLater
from chalicelib.model.execution import ExecutionKey
from chalicelib.model.ids import new_uid
from chalicelib.model.message import OutcomeUnknown, SendResult
from chalicelib.ports import Ports

#: Time kept after the last send of a batch to save results, next steps and statistics.
RESERVE = timedelta(seconds=5)
#: Accepted messages are saved after the first send that ends later than this, so that a crash leaves few `unknown`.
FLUSH_AFTER = timedelta(seconds=1)


def deliver(
    ports: Ports,
    plan: SendPlan,
    candidates: Sequence[SendCandidate],
    result: BatchResult,
    time_left: Callable[[], timedelta],
) -> tuple[ExecutionKey, ...]:
    """Send the messages that may be sent now. Returns the keys of executions that must return to the queue."""
    if time_left() < RESERVE:
        # Another flow of the event has used the time. Too little is left to release claims, so none are made.
        return tuple(candidate.stored.key for candidate in candidates)
    delivery = Delivery(SendBatch(ports, plan, new_uid()), result, time_left)
    admission = admit(delivery.batch, candidates)
    delivery.apply_admission(admission)
    claims = claim_executions(delivery.batch, admission.admitted)
    try:
        late_starts = _send_all(delivery, _confirm(delivery, claims.held)) if claims.held else {}
    finally:
        delivery.release_uncertain(claims.uncertain)
    delivery.refund()
    if admission.has_permits:
        return_permits(delivery.batch, late_starts)
    return (*claims.refused, *delivery.undecided)


def _confirm(delivery: Delivery, claimed: Sequence[ClaimedSend]) -> list[ClaimedSend]:
    """Register the claims as in flight, then read flow and contacts again. A pause or an opt-out stops the sends."""
    try:
        delivery.register(len(claimed))
        confirmation = confirm_claims(delivery.batch, claimed)
    except RetryLater:
        # Nothing was sent, so no claim may stay: an expired claim is treated as a message that may have been sent.
        delivery.release(claimed, retry=False)
        raise
    if confirmation.withdrawn:
        delivery.release(confirmation.withdrawn, retry=confirmation.retry)
    return confirmation.confirmed


def _send_all(delivery: Delivery, claimed: Sequence[ClaimedSend]) -> dict[int, datetime]:
    """Send one message after the other. A pause counts them as in flight. Returns late starts by concurrency slot."""
    clock = delivery.batch.ports.clock
    late_starts: dict[int, datetime] = {}
    unsaved: list[Sent] = []
    oldest = clock.real()
    feedback = ChannelFeedback()
    throttled: list[ClaimedSend] = []
    rest: Sequence[ClaimedSend] = ()
    for index, each in enumerate(claimed):
        channel = each.candidate.message.channel
        if delivery.time_left() < delivery.batch.plan.channel_types[channel.type].timeout + RESERVE:
            rest = claimed[index:]
            break
        if channel.uid in feedback.throttled:
            throttled.append(each)
            continue
        late_starts.update(_await_start(delivery, each))
        oldest = oldest if unsaved else clock.real()
        send_result = _send(delivery, each)
        unsaved.append((each, send_result))
        feedback = feedback.observe(delivery.batch, channel, send_result, is_probe=each.candidate.is_probe)
        if clock.real() - oldest > FLUSH_AFTER:
            delivery.save(unsaved)
            unsaved = []
        if feedback.stops_flow or delivery.undecided:
            # The flow is about to be paused, or results cannot be saved. No further message is sent.
            rest = claimed[index + 1 :]
            break
    # Sent messages are saved first, because releasing claims may use up all the time that is left.
    delivery.save(unsaved)
    delivery.release(rest, retry=not feedback.stops_flow)
    delivery.release(throttled, retry=True)
    apply_feedback(delivery.batch, feedback, delivery.result)
    return late_starts


def _await_start(delivery: Delivery, claimed: ClaimedSend) -> dict[int, datetime]:
    """Sleep until pacing and rate limit allow the start. Return `{slot: start}` if it is late, else an empty dict."""
    permit, clock = claimed.candidate.permit, delivery.batch.ports.clock
    starts = [start for start in (claimed.candidate.rate_slot, permit.start if permit else None) if start]
    if starts and max(starts) > clock.now():
        clock.sleep(max(starts) - clock.now())
    start = clock.now()
    return {permit.slot: start} if permit and start - permit.start > TOLERANCE * clock.speed else {}


def _send(delivery: Delivery, claimed: ClaimedSend) -> SendResult:
    message = claimed.candidate.message
    try:
        return delivery.batch.plan.channel_types[message.channel.type].send(message)
    except Exception as error:  # noqa: BLE001 - after any error of the channel type, the provider may have the message
        return OutcomeUnknown(type(error).__name__)
