"""Admission check: rate limits and daily caps of the channels."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.core.channels.acquire_rate import RateDecision, SendLater, reserve_slots
from chalicelib.core.steps.admission.base import Admission, SendBatch, SendCandidate
from chalicelib.model.queue_messages import ScheduledStep, build_step_message
from chalicelib.ports import RateState


def check_rates(batch: SendBatch, candidates: Sequence[SendCandidate]) -> Admission:
    """Admit sends that get a slot of their channel within reach; postpone the others to their slots.

    A permit of a send that is postponed here is lost: the channel is then slower than the pacing of the flow.
    """
    decisions = _decide(batch, candidates)
    admitted: list[SendCandidate] = []
    postponed: list[ScheduledStep] = []
    for candidate, decision in zip(candidates, decisions, strict=True):
        if isinstance(decision, SendLater):
            message = build_step_message(candidate.stored.key, candidate.stored.seq, rate_slot=decision.slot)
            postponed.append(ScheduledStep(message, decision.moment))
        else:
            admitted.append(replace(candidate, rate_slot=decision.slot))
    if batch.plan.flow.configuration.lanes is None:
        now = batch.ports.clock.now()
        admitted.sort(key=lambda candidate: candidate.rate_slot or now)
    return Admission(tuple(admitted), tuple(postponed))


def _decide(batch: SendBatch, candidates: Sequence[SendCandidate]) -> list[RateDecision]:
    """Return the decision for each candidate, asked for in one call per channel."""
    decisions: dict[int, RateDecision] = {}
    for uid in dict.fromkeys(candidate.message.channel.uid for candidate in candidates):
        indexes = [index for index, candidate in enumerate(candidates) if candidate.message.channel.uid == uid]
        channel = candidates[indexes[0]].message.channel
        state = batch.plan.rates.get(uid, RateState())
        reserved = [candidates[index].rate_slot for index in indexes]
        found = reserve_slots(batch.ports, batch.workspace, channel, state, reserved)
        decisions |= dict(zip(indexes, found, strict=True))
    return [decisions[index] for index in range(len(candidates))]
