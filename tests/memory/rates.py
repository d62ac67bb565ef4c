"""Rates in dicts."""

from collections import Counter
from datetime import datetime, timedelta

from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import RateState


class MemoryRates:
    """The port Rates in memory."""

    def __init__(self) -> None:
        self.lines: dict[tuple[WorkspaceUid, str], RateState] = {}
        self.sent: Counter[tuple[WorkspaceUid, str, str]] = Counter()

    def line(self, workspace: WorkspaceUid, channel: str) -> RateState:
        return self.lines.get((workspace, channel), RateState())

    def reserve(self, workspace: WorkspaceUid, channel: str, span: timedelta, now: datetime) -> datetime:
        line = self.line(workspace, channel)
        start = max(now, line.free or now)
        self.lines[workspace, channel] = RateState(start + span, line.held)
        return start

    def hold(self, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
        line = self.line(workspace, channel)
        self.lines[workspace, channel] = RateState(max(until, line.free or until), max(until, line.held or until))

    def reserve_daily(self, workspace: WorkspaceUid, channel: str, day: str, wanted: int, cap: int) -> int:
        granted = max(0, min(wanted, cap - self.daily_count(workspace, channel, day)))
        self.sent[workspace, channel, day] += granted
        return granted

    def daily_count(self, workspace: WorkspaceUid, channel: str, day: str) -> int:
        return self.sent[workspace, channel, day]
