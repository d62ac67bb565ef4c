"""Response models of executions and their messages."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from chalicelib.api.responses.build import build_response
from chalicelib.core.flows.progress import outcome_of
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.execution import (
    DeliveryReceipt,
    Engagement,
    Execution,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
)
from chalicelib.model.ids import NodeId
from chalicelib.model.money import write_money

JsonObject = Mapping[str, object]


class MessageStatus(StrEnum):
    """Status of a message: the outcome of its send, or what the provider reported after it."""

    SENT = "sent"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    FAILED = "failed"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    TIMED_OUT = "timed_out"
    BOUNCED = "bounced"


class ExecutionResponse(StrictModel):
    """One contact in one flow."""

    flow_uid: str
    """Flow that the execution belongs to."""
    contact_uid: str
    """Contact that passes through the steps."""
    entry: int
    """Number of the contact's entry into the flow of an event campaign, from 1; always 1 in other flows."""
    event_id: str | None
    """Event that entered the contact; null if no event did."""
    status: ExecutionStatus
    """Current status of the execution."""
    node_id: str | None
    """Step at which the execution is; null after its end."""
    reason: str | None
    """Failure or skip code; null while the execution is open or completed."""
    attempt: int
    """Number of attempts used at the current step."""
    wake_at: Moment | None
    """Time at which the execution continues; null if it waits for nothing."""
    campaign_version: int
    """Published version of the campaign that the execution runs."""
    created_at: Moment
    """Time at which the contact was enrolled."""
    updated_at: Moment
    """Time of the last change of the execution."""


class MessageResponse(StrictModel):
    """The message of one SEND step of one execution."""

    uid: str
    """Identifier of the message, made from the uids of workspace, flow, contact and node."""
    flow_uid: str
    """Flow that the message belongs to."""
    contact_uid: str
    """Contact that the message is for."""
    node_id: str
    """SEND step that produced the message."""
    channel_uid: str | None
    """Channel that was used; null if the message was skipped before a channel was chosen."""
    status: MessageStatus
    """Furthest known status: the outcome of the send, or the last delivery report."""
    reason: str | None
    """Failure or skip code; null if there is none."""
    attempts: int
    """Number of calls to the provider for this message."""
    provider_id: str | None
    """Identifier that the provider gave the message; null without an answer."""
    cost: str
    """Cost of the message in the workspace's currency, as a decimal string."""
    at: Moment
    """Time of the outcome of the send."""
    reported_at: Moment | None
    """Time of the last delivery report; null if none has arrived."""


class VisitResponse(StrictModel):
    """A visit of an execution to a node."""

    node_id: str
    """Step that was visited."""
    entered_at: Moment
    """Time at which the execution entered the step."""
    left_at: Moment | None
    """Time at which the execution left the step; null at the current step."""
    exit: str | None
    """Exit by which the execution left, for example `next` or the name of a lane; null at the current step."""
    why: str | None
    """Comparison that decided the exit; null if none did."""
    message: MessageResponse | None
    """Message of a SEND step; null for other steps and before the outcome is known."""


class NextStepResponse(StrictModel):
    """What happens next to an execution."""

    node_id: str | None
    """Step that is processed next."""
    does: str
    """`leaves` if a wait ends, `runs` if the step is processed."""
    at: Moment
    """Earliest time at which it happens."""


class ExecutionDetailResponse(ExecutionResponse):
    """An execution with its explanation and its path."""

    why: str
    """Explanation of the current status, in one sentence."""
    next: NextStepResponse | None
    """Next step and its time; null after the end."""
    history: tuple[VisitResponse, ...]
    """Visited steps in order; the current step is last."""


def execution_response(execution: Execution) -> ExecutionResponse:
    """Return an execution for a list."""
    return build_response(ExecutionResponse, **_fields(execution))


def execution_detail(execution: Execution) -> ExecutionDetailResponse:
    """Return an execution with its explanation and its path."""
    history = [
        _visit(execution, visit.node, visit.entered, visit.left, visit.exit, visit.why or None)
        for visit in execution.path
    ]
    if execution.node:
        history.append(_visit(execution, execution.node, execution.entered, None, None, None))
    return build_response(
        ExecutionDetailResponse,
        **_fields(execution),
        why=_why(execution),
        next=_next(execution),
        history=tuple(history),
    )


def _fields(execution: Execution) -> Mapping[str, object]:
    return {
        "flow_uid": execution.key.flow,
        "contact_uid": execution.key.contact,
        "entry": execution.key.entry,
        "event_id": execution.cause.event if execution.cause else None,
        "status": execution.status,
        "node_id": execution.node,
        "reason": execution.reason,
        "attempt": execution.attempt,
        "wake_at": execution.due,
        "campaign_version": execution.version,
        "created_at": execution.created,
        "updated_at": execution.updated,
    }


def _visit(
    execution: Execution, node: NodeId, entered: datetime, left: datetime | None, exit_name: str | None, why: str | None
) -> VisitResponse:
    message = message_response(execution, node) if node in execution.results else None
    return VisitResponse(node_id=node, entered_at=entered, left_at=left, exit=exit_name, why=why, message=message)


def _why(execution: Execution) -> str:
    if not execution.is_open:
        return f"It is {execution.status.value}" + (f": {execution.reason}" if execution.reason else "")
    if execution.claim:
        return "Its message is being handed over"
    if execution.waiting:
        return "It waits for its time to come"
    return "It waits for its next attempt" if execution.attempt else "It waits for its turn"


def _next(execution: Execution) -> NextStepResponse | None:
    if not execution.is_open:
        return None
    does = "leaves" if execution.waiting else "runs"
    return NextStepResponse(node_id=execution.node, does=does, at=execution.due or execution.updated)


def message_response(execution: Execution, node: NodeId) -> MessageResponse:
    """Return the message of one SEND step."""
    result, receipt = execution.results[node], execution.receipts.get(node)
    return MessageResponse.model_construct(
        uid=str(execution.message_uid(node)),
        flow_uid=execution.key.flow,
        contact_uid=execution.key.contact,
        node_id=node,
        channel_uid=result.channel or None,
        status=message_status(result, receipt),
        reason=result.reason,
        attempts=result.attempts,
        provider_id=result.provider_id,
        cost=write_money(result.cost),
        at=result.at,
        reported_at=receipt.at if receipt else None,
    )


def message_status(result: MessageResult, receipt: DeliveryReceipt | None) -> MessageStatus:
    """Return the furthest status that is known."""
    outcome = outcome_of(result, receipt)
    if receipt is None or receipt.engagement is Engagement.SENT or outcome is not MessageOutcome.SENT:
        return MessageStatus(outcome.value)
    return MessageStatus(receipt.engagement.value)
