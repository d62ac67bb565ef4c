"""Takes claims on rows before their letters are sent, and gives them back unused; saves rows that are ours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.core.channels.pacing import Turn
from chalicelib.core.steps.admission import LEASE, Delivery, Ready
from chalicelib.model.execution import Claim, Execution, ExecutionKey, ExecutionStatus
from chalicelib.model.ids import AttemptId, NodeId
from chalicelib.model.queue_messages import DueHint, hint_of
from chalicelib.ports import ClaimedBy, Save, Unclaimed

#: Waits before what is undecided is saved once more, beyond the adapter's own tries; HASTE is kept for those.
SAVE_AGAIN = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8))
HASTE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours until the lease ends; `turn` is when its send may start in a paced flow."""

    ready: Ready
    attempt: AttemptId
    turn: Turn | None


def claim(
    delivery: Delivery, ready: Sequence[Ready], turns: Sequence[Turn] | None
) -> tuple[list[Claimed], list[Claimed], tuple[ExecutionKey, ...]]:
    """The rows that are ours now, those that may be ours, and the keys of all that are not for sure.

    Which may be ours are to be given back once the others are sent: a claim that stays on a row would be taken for a
    lost send.
    """
    real_now = delivery.ports.clock.real()
    taken: Sequence[Turn | None] = turns[: len(ready)] if turns is not None else [None] * len(ready)
    wanted = [
        Claimed(replace(each, row=_with_claim(each, attempt, real_now + LEASE)), attempt, turn)
        for each, attempt, turn in zip(ready, _attempts(delivery, len(ready)), taken, strict=True)
    ]
    saves = [Save(each.ready.row, Unclaimed.as_seen(each.ready.stored, real_now)) for each in wanted]
    held = delivery.ports.executions.save_many(saves, delivery.plan.flow.shards) if saves else ()
    refused = tuple(each.ready.stored.key for each, ok in zip(wanted, held, strict=True) if not ok)
    doubtful = [each for each, ok in zip(wanted, held, strict=True) if ok is None]
    return [each for each, ok in zip(wanted, held, strict=True) if ok], doubtful, refused


def _attempts(delivery: Delivery, count: int) -> list[AttemptId]:
    return [AttemptId(f"{delivery.batch}-{index}") for index in range(count)]


def _with_claim(ready: Ready, attempt: AttemptId, until: datetime) -> Execution:
    node = NodeId(ready.letter.uid.node)
    claim = Claim(attempt, until, node, ready.letter.cost)
    return replace(ready.row, status=ExecutionStatus.PROCESSING, claim=claim, offer=ready.letter.uid.offer)


def release(delivery: Delivery, claimed: Sequence[Claimed], *, hint: bool) -> None:
    """Gives claims back unused; the rows are as before. Without a hint they wait for a resume, else they go again."""
    for each, ok in _unclaim(delivery, claimed):
        row = each.ready.stored
        if ok and hint:
            delivery.ledger.hints.append(DueHint(hint_of(row.key, row.seq), delivery.ports.clock.now()))
        if ok is None:
            delivery.undecided.append(row.key)
        if not ok:
            # Whoever took it from us, or finds our claim, books the message as one that may have been sent.
            delivery.spent += each.ready.price


def give_back(delivery: Delivery, doubtful: Sequence[Claimed]) -> None:
    """Claims that may not even be there: then there is nothing to give back, and nothing was spent."""
    for each, ok in _unclaim(delivery, doubtful):
        if ok is None:
            delivery.spent += each.ready.price


def _unclaim(delivery: Delivery, claimed: Sequence[Claimed]) -> list[tuple[Claimed, bool | None]]:
    saves = [Save(each.ready.stored, ClaimedBy(each.attempt)) for each in claimed]
    return list(zip(claimed, save_surely(delivery, saves), strict=True))


def save_surely(delivery: Delivery, saves: Sequence[Save]) -> list[bool | None]:
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
