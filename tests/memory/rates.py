"""Rates in dicts."""

from collections import Counter
from datetime import datetime, timedelta

from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import RateState


class MemoryRates:
    """Implements `ports.Rates` in memory."""

    def __init__(self) -> None:
        self.states: dict[tuple[WorkspaceUid, str], RateState] = {}
        self.sent: Counter[tuple[WorkspaceUid, str, str]] = Counter()

    def state(self, workspace: WorkspaceUid, channel: str) -> RateState:
        return self.states.get((workspace, channel), RateState())

    def reserve(self, workspace: WorkspaceUid, channel: str, span: timedelta, now: datetime) -> datetime:
        state = self.state(workspace, channel)
        start = max(now, state.next_slot or now)
        self.states[workspace, channel] = RateState(start + span, state.held_until)
        return start

    def hold(self, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
        state = self.state(workspace, channel)
        self.states[workspace, channel] = RateState(
            max(until, state.next_slot or until), max(until, state.held_until or until)
        )

    def reserve_daily(self, workspace: WorkspaceUid, channel: str, day: str, wanted: int, cap: int) -> int:
        granted = max(0, min(wanted, cap - self.daily_count(workspace, channel, day)))
        self.sent[workspace, channel, day] += granted
        return granted

    def daily_count(self, workspace: WorkspaceUid, channel: str, day: str) -> int:
        return self.sent[workspace, channel, day]
