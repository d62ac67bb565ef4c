"""The stored state of a channel's circuit breaker."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CircuitState(StrEnum):
    """Where a circuit stands; half open is while one send is trying it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class ChannelFailureRecord:
    """One send that the channel itself spoilt."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """Shared by all workers; `rev` guards its writes. All its times are of the real clock."""

    state: CircuitState = CircuitState.CLOSED
    #: When the trouble began; of a closed one, when it ended. None where there never was any.
    since: datetime | None = None
    cause: str = ""
    #: Open: from when on it may be probed. Half open: until when the probe is its prober's.
    retry_at: datetime | None = None
    faults: tuple[ChannelFailureRecord, ...] = ()
    rev: int = 0
