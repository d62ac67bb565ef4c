"""The port of circuit breakers."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports.rate_limits import RateState

_UNLIMITED = RateState()


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """A channel with the state of its circuit and of its rate limit."""

    channel: Channel
    circuit: Circuit
    rate_state: RateState = _UNLIMITED


class Circuits(Protocol):
    """The circuit of each channel, shared by all workers."""

    def find_channel(self, workspace: WorkspaceUid, uid: str, *, strong: bool = True) -> ChannelStatus | None:
        """Return the channel with its circuit by one read, which costs no more than reading the channel.

        An eventually consistent read (`strong=False`) costs half and may miss recent writes.
        """

    def get(self, workspace: WorkspaceUid, uid: str) -> Circuit:
        """Return the circuit, or a closed one with rev 0 if none is stored."""

    def save(self, workspace: WorkspaceUid, uid: str, circuit: Circuit) -> bool:
        """Store the circuit. False if it has changed since it was read."""
