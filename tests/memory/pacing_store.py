"""Pacing gates in a dict."""

from dataclasses import replace

from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import PacingState


class MemoryGates:
    """The port Gates in memory."""

    def __init__(self) -> None:
        self.gates: dict[tuple[WorkspaceUid, FlowUid], PacingState] = {}

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> PacingState:
        return self.gates.get((workspace, flow), PacingState())

    def save(self, workspace: WorkspaceUid, flow: FlowUid, gate: PacingState) -> bool:
        stored, wanted = self.get(workspace, flow), replace(gate, rev=gate.rev + 1)
        if stored.rev != gate.rev:
            return stored == wanted
        self.gates[workspace, flow] = wanted
        return True
