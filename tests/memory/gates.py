"""Pacing gates in a dict."""

from dataclasses import replace

from chalicelib.core.channels.pacing import Gate
from chalicelib.model.ids import FlowUid, WorkspaceUid


class MemoryGates:
    """The port Gates in memory."""

    def __init__(self) -> None:
        self.gates: dict[tuple[WorkspaceUid, FlowUid], Gate] = {}

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> Gate:
        return self.gates.get((workspace, flow), Gate())

    def save(self, workspace: WorkspaceUid, flow: FlowUid, gate: Gate) -> bool:
        stored, wanted = self.get(workspace, flow), replace(gate, rev=gate.rev + 1)
        if stored.rev != gate.rev:
            return stored == wanted
        self.gates[workspace, flow] = wanted
        return True
