"""Apply a send result to an execution. Pure: no I/O."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome, MessageResult
from chalicelib.model.flow_configuration import FlowConfiguration
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

#: Shortest delay after a throttle or a channel failure, so that neither becomes a busy loop.
SHORTEST_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SendAttempt:
    """One attempt to send the message at `node` over the channel with the uid `channel`."""

    node: NodeId
    channel: str
    configuration: FlowConfiguration
    #: Whether the message may be sent again after a lost response: the provider deduplicates, or the channel allows it.
    resend: bool
    now: datetime
    cost: int = 0
    #: Index of the send option of this attempt.
    option: int = 0
    #: Index of the fallback after a permanent refusal, if there is one.
    next_option: int | None = None


def apply_send_result(execution: Execution, attempt: SendAttempt, send_result: SendResult) -> Execution:
    """Release the claim and record a result, or the time to try again. The execution stays at its node."""
    execution = replace(execution, claim=None, status=ExecutionStatus.PENDING, updated=attempt.now)
    match send_result:
        case Accepted(provider_id=provider_id):
            cost = _cost(execution, attempt)
            return _with_result(execution, attempt, MessageOutcome.SENT, provider_id=provider_id, cost=cost)
        case Throttled(after=after):
            return replace(execution, due=attempt.now + max(SHORTEST_WAIT, after or SHORTEST_WAIT))
        case ChannelFailure() | AccountUnpaid() | TransientFailure(unreached=True):
            return replace(execution, due=attempt.now + max(SHORTEST_WAIT, attempt.configuration.retry_delay))
        case TransientFailure(code=code, after=after):
            return _retry(execution, attempt, after) or _fail(execution, attempt, code)
        case PermanentFailure(code=code):
            return _fall_back(execution, attempt) or _fail(execution, attempt, code)
        case RecipientSuppressed(code=code):
            reason = skip_reason_for(code)
            skipped = _with_result(execution, attempt, MessageOutcome.SKIPPED, reason=reason)
            return _fall_back(execution, attempt) or skipped
        case OutcomeUnknown(why=why):
            return _response_lost(execution, attempt, why)
        case _:
            assert_never(send_result)


def expire_claim(execution: Execution, attempt: SendAttempt) -> Execution:
    """Handle an expired claim. The worker that held it may have sent the message."""
    cost = execution.claim.cost if execution.claim else attempt.cost
    execution = replace(execution, claim=None, status=ExecutionStatus.PENDING, updated=attempt.now)
    return _response_lost(execution, replace(attempt, cost=cost), "worker_lost")


def _response_lost(execution: Execution, attempt: SendAttempt, why: str) -> Execution:
    # A receipt proves that the message is out, so it is not sent again.
    may_resend = attempt.resend and attempt.node not in execution.receipts
    again = _retry(execution, attempt, None) if may_resend else None
    cost = _cost(execution, attempt)
    if again:
        return replace(again, answer_lost=True, paid=cost)
    return _with_result(execution, attempt, MessageOutcome.UNKNOWN, reason=why, cost=cost)


def _cost(execution: Execution, attempt: SendAttempt) -> int:
    """Return the amount to charge: a message is charged once, at the highest price of all attempts."""
    return max(execution.paid, attempt.cost)


def _fall_back(execution: Execution, attempt: SendAttempt) -> Execution | None:
    """Move to the fallback, if it is allowed. After a lost response it is not: the contact could get two messages."""
    if attempt.next_option is None or execution.answer_lost:
        return None
    return replace(execution, option=attempt.next_option, attempt=0, due=None)


def _retry(execution: Execution, attempt: SendAttempt, after: timedelta | None) -> Execution | None:
    if execution.attempt >= attempt.configuration.max_retries:
        return None
    delay = max(attempt.configuration.retry_delay, after or timedelta(0))
    return replace(execution, attempt=execution.attempt + 1, due=attempt.now + delay)


def _fail(execution: Execution, attempt: SendAttempt, code: str) -> Execution:
    failed = _with_result(execution, attempt, MessageOutcome.FAILED, reason=code)
    return failed.finished(ExecutionStatus.FAILED, code, attempt.now)


def _with_result(
    execution: Execution,
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
        attempts=execution.attempt + 1,
        channel=attempt.channel,
        reason=reason,
        provider_id=provider_id,
        cost=cost,
        option=attempt.option,
    )
    return replace(execution.with_result(attempt.node, result), attempt=0, due=None)
