"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class VirtualClock:
    """Both clocks of the port, moved together or each alone; `slept` is what was asked of sleep."""

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
        """Moves both clocks on."""
        self._now += span
        self._real += span

    def advance_engine(self, span: timedelta) -> None:
        """Moves the engine's clock alone, as a faster laptop does."""
        self._now += span

    def advance_real(self, span: timedelta) -> None:
        """Moves the real clock alone: leases run out, nothing falls due."""
        self._real += span
