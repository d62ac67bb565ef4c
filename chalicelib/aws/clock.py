"""The system's clock, which the laptop may run faster from an anchor on."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The engine's time is `virtual_anchor + (real time - real_anchor) × speed`; anchors in epoch seconds."""

    def __init__(self, speed: float = 1, real_anchor: float | None = None, virtual_anchor: float | None = None) -> None:
        self.speed = speed
        self._real_anchor = time.time() if real_anchor is None else real_anchor
        self._virtual_anchor = self._real_anchor if virtual_anchor is None else virtual_anchor

    def now(self) -> datetime:
        """The engine's time, aware, UTC."""
        return datetime.fromtimestamp(self._virtual_anchor + (time.time() - self._real_anchor) * self.speed, UTC)

    def real(self) -> datetime:
        """Wall-clock time, aware, UTC."""
        return datetime.fromtimestamp(time.time(), UTC)

    def sleep(self, span: timedelta) -> None:
        """Waits this long by the engine's clock; a span that is over already is no wait."""
        time.sleep(max(0.0, span.total_seconds() / self.speed))
