"""How a channel shows how it fares, as models for OpenAPI."""

from chalicelib.core.channels.acquire_rate import RateUsage
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit, CircuitState


class FaultResponse(StrictModel):
    """One send that the channel spoilt."""

    at: Moment
    """Time of the failed send."""
    code: str
    """Failure code of the channel."""


class CircuitResponse(StrictModel):
    """`retryAfter`: from when on a resumed flow's first send is the probe."""

    state: CircuitState
    """`closed`: sends pass; `open`: sends stop; `half_open`: one send probes the channel."""
    since: Moment | None
    """Start of the outage; for a closed circuit, its end; null if there was none."""
    retry_after: Moment | None
    """Earliest time at which the first send of a resumed flow may probe the channel."""
    cause: str | None
    """Failure code that opened the circuit; null if there is none."""
    last_faults: tuple[FaultResponse, ...]
    """Most recent failed sends of the channel."""


class RateResponse(StrictModel):
    """The channel's own limits or those of its account; `sentToday` (UTC) is counted only under a daily limit."""

    per_second: float | None
    """Largest number of messages per second; null without a limit."""
    per_day: int | None
    """Largest number of messages per day (UTC); null without a limit."""
    sent_today: int | None
    """Number of messages sent today (UTC); null without a daily limit."""
    held_until: Moment | None
    """End of a throttle by the provider; null if none is active."""
    backlog_seconds: float
    """How far ahead the slots of the channel are reserved, in seconds."""


class ChannelResponse(Channel):
    """A channel, and how it fares."""

    circuit: CircuitResponse
    """State of the channel's circuit breaker."""
    rate: RateResponse
    """Limits of the channel and how much of them is used."""


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
