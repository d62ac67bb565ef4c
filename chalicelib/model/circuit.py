"""The stored state of a channel's circuit breaker."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CircuitState(StrEnum):
    """The state of a circuit. It is half-open while one send probes the channel."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class ChannelFailureRecord:
    """One send that failed because of the channel."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit, shared by all workers. `rev` is the optimistic lock. All times are real-clock times."""

    state: CircuitState = CircuitState.CLOSED
    #: Start of the outage; for a closed circuit, its end. None if there was none.
    since: datetime | None = None
    cause: str = ""
    #: Open: when a send may probe the channel. Half-open: when the lease of the probe expires.
    retry_at: datetime | None = None
    faults: tuple[ChannelFailureRecord, ...] = ()
    rev: int = 0
