"""The ports of limits per time: channel rates, pacing of flows, and usage limits such as API calls per minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import PacingState


@dataclass(frozen=True, slots=True)
class RateState:
    """The state of a channel's rate limit (GCRA)."""

    #: Start of the next slot.
    next_slot: datetime | None = None
    #: End of a hold: nothing is sent before it, because the provider throttled the channel.
    held_until: datetime | None = None


class Rates(Protocol):
    """The rate limit of each channel, shared by all workers. Times are the engine's."""

    def reserve(self, workspace: WorkspaceUid, channel: str, span: timedelta, now: datetime) -> datetime:
        """Reserve a span after all reserved ones, starting now at the earliest, and return its start."""

    def hold(self, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
        """Send nothing before `until`. Reserved spans that begin earlier are void; an earlier time changes nothing."""

    def reserve_daily(self, workspace: WorkspaceUid, channel: str, day: str, wanted: int, cap: int) -> int:
        """Count up to `wanted` messages for `day` (`2026-03-02`), within the limit `cap`; return how many."""

    def daily_count(self, workspace: WorkspaceUid, channel: str, day: str) -> int:
        """Return how many messages were counted for a day."""


class PacingStore(Protocol):
    """The pacing state of each flow, shared by all workers."""

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> PacingState:
        """Return the state, or an initial one with rev 0 if none is stored."""

    def save(self, workspace: WorkspaceUid, flow: FlowUid, state: PacingState) -> bool:
        """Store the state. False if it has changed since it was read."""


class UsageLimits(Protocol):
    """Counters of fixed time windows."""

    def take(self, workspace: WorkspaceUid, name: str, until: datetime, count: int, limit: int) -> bool:
        """Use `count` of the `limit` of the window that ends at `until`.

        False if that would exceed the limit; then nothing is used.
        """
