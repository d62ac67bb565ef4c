"""Circuits in a dict."""

from dataclasses import replace

from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Catalog, ChannelStatus
from tests.memory.rates import MemoryRates


class MemoryCircuits:
    """Implements `ports.Circuits` in memory, for the channels of a catalog."""

    def __init__(self, catalog: Catalog, rates: MemoryRates | None = None) -> None:
        self._catalog, self._rates = catalog, rates or MemoryRates()
        self._circuits: dict[tuple[WorkspaceUid, str], Circuit] = {}

    def find_channel(self, workspace: WorkspaceUid, uid: str, *, strong: bool = True) -> ChannelStatus | None:
        channel = self._catalog.find(workspace, Channel, uid)
        return ChannelStatus(channel, self.get(workspace, uid), self._rates.state(workspace, uid)) if channel else None

    def get(self, workspace: WorkspaceUid, uid: str) -> Circuit:
        return self._circuits.get((workspace, uid), Circuit())

    def save(self, workspace: WorkspaceUid, uid: str, circuit: Circuit) -> bool:
        stored, wanted = self.get(workspace, uid), replace(circuit, rev=circuit.rev + 1)
        if stored.rev != circuit.rev:
            return stored == wanted
        self._circuits[workspace, uid] = wanted
        return True
