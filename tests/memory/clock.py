"""A clock that changes only when a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class VirtualClock:
    """Implements `ports.Clock`. Tests move both clocks or one of them; `slept` records the calls of `sleep`."""

    def __init__(self, start: datetime = START) -> None:
        self.speed = 1.0
        self._now = self._real = start
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        return self._now

    def real(self) -> datetime:
        return self._real

    def sleep(self, span: timedelta) -> None:
        self.slept.append(span)
        self.advance(span)

    def advance(self, span: timedelta) -> None:
        """Advance both clocks."""
        self._now += span
        self._real += span

    def advance_engine(self, span: timedelta) -> None:
        """Advance only the engine's clock, as a local stack with a faster clock does."""
        self._now += span

    def advance_real(self, span: timedelta) -> None:
        """Advance only the real clock: leases expire, but nothing becomes due."""
        self._real += span
