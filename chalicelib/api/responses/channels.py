"""How a channel shows how it fares, as models for OpenAPI."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import CircuitState


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
