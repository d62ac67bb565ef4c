"""What is kept of a channel besides its fields: the circuit, the line of its rate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.ids import WorkspaceUid


@dataclass(frozen=True, slots=True)
class RateState:
    """Of a channel's rate: when it is next free, and until when a throttle holds everybody back."""

    free: datetime | None = None
    held: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """A channel and how it fares."""

    channel: Channel
    circuit: Circuit
    line: RateState = RateState()


class Circuits(Protocol):
    """The circuit of each channel, shared by all workers."""

    def find_channel(self, workspace: WorkspaceUid, uid: str, *, strong: bool = True) -> ChannelStatus | None:
        """The channel with its circuit by one read, which costs what reading the channel does.

        One that is not `strong` costs half, and may tell how it was a moment ago.
        """

    def get(self, workspace: WorkspaceUid, uid: str) -> Circuit:
        """The stored circuit, or one that was never open (rev 0)."""

    def save(self, workspace: WorkspaceUid, uid: str, circuit: Circuit) -> bool:
        """Stores it if nobody did since it was read."""


class Rates(Protocol):
    """What of its rate each channel has given away, shared by all workers; times by the engine's clock."""

    def reserve(self, workspace: WorkspaceUid, channel: str, span: timedelta, now: datetime) -> datetime:
        """Takes a span behind all that was taken, at the earliest now; when it begins. RetryLater."""

    def hold(self, workspace: WorkspaceUid, channel: str, until: datetime) -> None:
        """Nothing goes before this moment; spans that begin earlier are void. Never goes back."""

    def count(self, workspace: WorkspaceUid, channel: str, day: str, wanted: int, cap: int) -> int:
        """How many of `wanted` may still go on a day, `2026-03-02`, of which at most `cap` do; they are counted."""

    def counted(self, workspace: WorkspaceUid, channel: str, day: str) -> int:
        """How many were counted on a day."""
