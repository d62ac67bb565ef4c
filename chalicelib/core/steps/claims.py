"""Takes claims on rows before their letters are sent, and gives them back unused; saves rows that are ours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.core.channels.pacing import Permit
from chalicelib.core.steps.admission import LEASE, SendBatch, SendCandidate
from chalicelib.model.execution import Claim, Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.ids import AttemptId, NodeId
from chalicelib.model.queue_messages import ScheduledStep, build_step_message
from chalicelib.ports import ExpectClaimedBy, ExpectUnclaimed, Save

#: Waits before what is undecided is saved once more, beyond the adapter's own tries; HASTE is kept for those.
SAVE_AGAIN = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8))
HASTE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ClaimedSend:
    """A row that is ours until the lease ends; `turn` is when its send may start in a paced flow."""

    ready: SendCandidate
    attempt: AttemptId
    turn: Permit | None


def claim_executions(
    delivery: SendBatch, ready: Sequence[SendCandidate], turns: Sequence[Permit] | None
) -> tuple[list[ClaimedSend], list[ClaimedSend], tuple[ExecutionKey, ...]]:
    """The rows that are ours now, those that may be ours, and the keys of all that are not for sure.

    Which may be ours are to be given back once the others are sent: a claim that stays on a row would be taken for a
    lost send.
    """
    real_now = delivery.ports.clock.real()
    taken: Sequence[Permit | None] = turns[: len(ready)] if turns is not None else [None] * len(ready)
    wanted = [
        ClaimedSend(replace(each, row=_with_claim(each, attempt, real_now + LEASE)), attempt, turn)
        for each, attempt, turn in zip(ready, _attempts(delivery, len(ready)), taken, strict=True)
    ]
    saves = [Save(each.ready.row, ExpectUnclaimed.as_seen(each.ready.stored, real_now)) for each in wanted]
    held = delivery.ports.executions.save_many(saves, delivery.plan.flow.shards) if saves else ()
    refused = tuple(each.ready.stored.key for each, ok in zip(wanted, held, strict=True) if not ok)
    doubtful = [each for each, ok in zip(wanted, held, strict=True) if ok is None]
    return [each for each, ok in zip(wanted, held, strict=True) if ok], doubtful, refused


def _attempts(delivery: SendBatch, count: int) -> list[AttemptId]:
    return [AttemptId(f"{delivery.batch}-{index}") for index in range(count)]


def _with_claim(ready: SendCandidate, attempt: AttemptId, until: datetime) -> Execution:
    node = NodeId(ready.letter.uid.node)
    claim = Claim(attempt, until, node, ready.letter.cost)
    return replace(ready.row, status=ExecutionStatus.PROCESSING, claim=claim, offer=ready.letter.uid.offer)


def release_claims(delivery: SendBatch, claimed: Sequence[ClaimedSend], *, hint: bool) -> None:
    """Gives claims back unused; the rows are as before. Without a hint they wait for a resume, else they go again."""
    for each, ok in _unclaim(delivery, claimed):
        row = each.ready.stored
        if ok and hint:
            delivery.ledger.hints.append(
                ScheduledStep(build_step_message(row.key, row.seq), delivery.ports.clock.now())
            )
        if ok is None:
            delivery.undecided.append(row.key)
        if not ok:
            # Whoever took it from us, or finds our claim, books the message as one that may have been sent.
            delivery.spent += each.ready.price


def release_uncertain(delivery: SendBatch, doubtful: Sequence[ClaimedSend]) -> None:
    """Claims that may not even be there: then there is nothing to give back, and nothing was spent."""
    for each, ok in _unclaim(delivery, doubtful):
        if ok is None:
            delivery.spent += each.ready.price


def _unclaim(delivery: SendBatch, claimed: Sequence[ClaimedSend]) -> list[tuple[ClaimedSend, bool | None]]:
    saves = [Save(each.ready.stored, ExpectClaimedBy(each.attempt)) for each in claimed]
    return list(zip(claimed, save_with_retry(delivery, saves), strict=True))


def save_with_retry(delivery: SendBatch, saves: Sequence[Save]) -> list[bool | None]:
    """Tries what is undecided again while there is time: giving up makes an unknown of a message.

    Of one that is out, when it cannot be settled; of one that nobody sent, when its claim cannot be given back.
    """
    clock, shards = delivery.ports.clock, delivery.plan.flow.shards
    held: list[bool | None] = [None] * len(saves)
    for pause in (timedelta(0), *SAVE_AGAIN):
        left = [index for index, ok in enumerate(held) if ok is None]
        if not left or (pause and delivery.time_left() < pause + HASTE):
            break
        if pause:
            clock.sleep(pause * clock.speed)
        answers = delivery.ports.executions.save_many([saves[index] for index in left], shards)
        for index, ok in zip(left, answers, strict=True):
            held[index] = ok
    return held
