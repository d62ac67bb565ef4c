"""How a channel shows how it fares, as models for OpenAPI."""

from chalicelib.core.channels.acquire_rate import RateUsage
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit, CircuitState


class FaultResponse(StrictModel):
    """One send that the channel spoilt."""

    at: Moment
    code: str


class CircuitResponse(StrictModel):
    """`retryAfter`: from when on a resumed flow's first send is the probe."""

    state: CircuitState
    since: Moment | None
    retry_after: Moment | None
    cause: str | None
    last_faults: tuple[FaultResponse, ...]


class RateResponse(StrictModel):
    """The channel's own limits or those of its account; `sentToday` (UTC) is counted only under a daily limit."""

    per_second: float | None
    per_day: int | None
    sent_today: int | None
    held_until: Moment | None
    backlog_seconds: float


class ChannelResponse(Channel):
    """A channel, and how it fares."""

    circuit: CircuitResponse
    rate: RateResponse


def rate_response(usage: RateUsage) -> RateResponse:
    """Return the limits of a channel and their usage."""
    return RateResponse(
        per_second=usage.limits.per_second,
        per_day=usage.limits.per_day,
        sent_today=usage.sent_today,
        held_until=usage.held,
        backlog_seconds=round(usage.backlog.total_seconds(), 3),
    )


def circuit_response(circuit: Circuit) -> CircuitResponse:
    """Return the state of a circuit."""
    return CircuitResponse(
        state=circuit.state,
        since=circuit.since,
        retry_after=circuit.retry_at,
        cause=circuit.cause or None,
        last_faults=tuple(FaultResponse(at=fault.at, code=fault.code) for fault in circuit.faults),
    )
