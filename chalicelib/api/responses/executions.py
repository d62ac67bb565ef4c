"""Response models of executions and messages."""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.execution import ExecutionStatus

Json = Mapping[str, JsonValue]


class ExecutionResponse(StrictModel):
    """One contact in one flow."""

    flow_uid: str
    contact_uid: str
    entry: int | None
    event_id: str | None
    status: ExecutionStatus
    node_id: str | None
    reason: str | None
    attempt: int
    wake_at: Moment | None
    campaign_version: int
    created_at: Moment
    updated_at: Moment


class MessageResponse(StrictModel):
    """One SEND of one execution."""

    uid: str
    flow_uid: str
    contact_uid: str
    node_id: str
    channel_uid: str | None
    status: str
    reason: str | None
    attempts: int
    provider_id: str | None
    cost: str
    at: Moment
    reported_at: Moment | None


class VisitResponse(StrictModel):
    """One station of a walk."""

    node_id: str
    entered_at: Moment
    left_at: Moment | None
    exit: str | None
    why: str | Json | None
    message: MessageResponse | None


class ExecutionDetailResponse(ExecutionResponse):
    """Where now, why, what next and when, and where the walk has been."""

    why: str
    next: Json | None
    history: tuple[VisitResponse, ...]
