"""The system clock, which the local stack may run faster from an anchor on."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Implements `ports.Clock`.

    The engine's time is `virtual_anchor + (real time - real_anchor) × speed`; anchors are in seconds since 1970.
    """

    def __init__(self, speed: float = 1, real_anchor: float | None = None, virtual_anchor: float | None = None) -> None:
        self.speed = speed
        self._real_anchor = time.time() if real_anchor is None else real_anchor
        self._virtual_anchor = self._real_anchor if virtual_anchor is None else virtual_anchor

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._virtual_anchor + (time.time() - self._real_anchor) * self.speed, UTC)

    def real(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def sleep(self, span: timedelta) -> None:
        """Wait for `span` of the engine's time; a negative span does not wait."""
        time.sleep(max(0.0, span.total_seconds() / self.speed))
