"""What is kept of a channel besides its fields: the circuit."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.engine.breaker import Circuit
from chalicelib.model.channel import Channel
from chalicelib.model.ids import WorkspaceUid


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel and how it fares."""

    channel: Channel
    circuit: Circuit


class Circuits(Protocol):
    """The circuit of each channel, shared by all workers."""

    def find_channel(self, workspace: WorkspaceUid, uid: str) -> Standing | None:
        """The channel with its circuit by one strongly consistent read, which costs what reading the channel does."""

    def get(self, workspace: WorkspaceUid, uid: str) -> Circuit:
        """The stored circuit, or one that was never open (rev 0)."""

    def save(self, workspace: WorkspaceUid, uid: str, circuit: Circuit) -> bool:
        """Stores it if nobody did since it was read."""
