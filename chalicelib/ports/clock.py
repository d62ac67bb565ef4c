"""The port of the clocks."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The engine's clock and the real one.

    The local stack may run the engine's clock faster than real time. Leases and provider timeouts use the real clock,
    because they bound the lifetime of processes.
    """

    #: How many times faster than real time the engine's clock runs; 1 on AWS.
    speed: float

    def now(self) -> datetime:
        """Return the engine's time, timezone-aware, in UTC."""

    def real(self) -> datetime:
        """Return the wall-clock time, timezone-aware, in UTC."""

    def sleep(self, span: timedelta) -> None:
        """Wait for `span` of the engine's time. Callers never ask for more than two seconds."""
