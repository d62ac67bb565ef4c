"""What a provider's verdict does to a row."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome, MessageResult
from chalicelib.model.flow import FlowConfiguration
from chalicelib.model.ids import NodeId
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)
from chalicelib.model.skip_reason import skip_reason_for

#: Shortest wait after a throttle or a channel's fault, so that neither becomes a busy loop.
SHORTEST_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SendAttempt:
    """One try to hand over the message at `node`; `resend`: a lost answer may be tried again (token or policy)."""

    node: NodeId
    channel: str
    configuration: FlowConfiguration
    resend: bool
    now: datetime
    cost: int = 0
    #: Which of the step's offers is tried, and the one to go on with should it be refused for good.
    offer: int = 0
    next_offer: int | None = None


def apply_send_result(row: Execution, attempt: SendAttempt, verdict: SendResult) -> Execution:
    """The row with its claim gone: a result at the node, or the moment to try again. It has not left the node yet."""
    row = replace(row, claim=None, status=ExecutionStatus.PENDING, updated=attempt.now)
    match verdict:
        case Accepted(provider_id=provider_id):
            return _with(row, attempt, MessageOutcome.SENT, provider_id=provider_id, cost=_cost(row, attempt))
        case Throttled(after=after):
            return replace(row, due=attempt.now + max(SHORTEST_WAIT, after or SHORTEST_WAIT))
        case ChannelFailure() | AccountUnpaid() | TransientFailure(unreached=True):
            return replace(row, due=attempt.now + max(SHORTEST_WAIT, attempt.configuration.retry_delay))
        case TransientFailure(code=code, after=after):
            return _retry(row, attempt, after) or _fail(row, attempt, code)
        case PermanentFailure(code=code):
            return _fall_back(row, attempt) or _fail(row, attempt, code)
        case RecipientSuppressed(code=code):
            return _fall_back(row, attempt) or _with(row, attempt, MessageOutcome.SKIPPED, reason=skip_reason_for(code))
        case OutcomeUnknown(why=why):
            return _lost(row, attempt, why)
        case _:
            assert_never(verdict)


def expire_claim(row: Execution, attempt: SendAttempt) -> Execution:
    """The row after a claim that ran out: whoever held it may have sent."""
    cost = row.claim.cost if row.claim else attempt.cost
    row = replace(row, claim=None, status=ExecutionStatus.PENDING, updated=attempt.now)
    return _lost(row, replace(attempt, cost=cost), "worker_lost")


def _lost(row: Execution, attempt: SendAttempt, why: str) -> Execution:
    # A receipt proves that the message is out, whatever became of the answer.
    may_resend = attempt.resend and attempt.node not in row.receipts
    again = _retry(row, attempt, None) if may_resend else None
    cost = _cost(row, attempt)
    return (again and replace(again, unsure=True, paid=cost)) or _with(
        row, attempt, MessageOutcome.UNKNOWN, reason=why, cost=cost
    )


def _cost(row: Execution, attempt: SendAttempt) -> int:
    """Of the message, however often it was tried: a try before this one may have been dearer."""
    return max(row.paid, attempt.cost)


def _fall_back(row: Execution, attempt: SendAttempt) -> Execution | None:
    """The row at the next offer: never when a try of this one may have been taken, as the contact would get two."""
    if attempt.next_offer is None or row.unsure:
        return None
    return replace(row, offer=attempt.next_offer, attempt=0, due=None)


def _retry(row: Execution, attempt: SendAttempt, after: timedelta | None) -> Execution | None:
    if row.attempt >= attempt.configuration.max_retries:
        return None
    delay = max(attempt.configuration.retry_delay, after or timedelta(0))
    return replace(row, attempt=row.attempt + 1, due=attempt.now + delay)


def _fail(row: Execution, attempt: SendAttempt, code: str) -> Execution:
    failed = _with(row, attempt, MessageOutcome.FAILED, reason=code)
    return failed.finished(ExecutionStatus.FAILED, code, attempt.now)


def _with(
    row: Execution,
    attempt: SendAttempt,
    outcome: MessageOutcome,
    *,
    reason: str | None = None,
    provider_id: str | None = None,
    cost: int = 0,
) -> Execution:
    result = MessageResult(
        outcome,
        attempt.now,
        attempts=row.attempt + 1,
        channel=attempt.channel,
        reason=reason,
        provider_id=provider_id,
        cost=cost,
        offer=attempt.offer,
    )
    return replace(row.with_result(attempt.node, result), attempt=0, due=None)
