"""Pacing states in a dict."""

from dataclasses import replace

from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.pacing_state import PacingState


class MemoryPacing:
    """Implements `ports.PacingStore` in memory."""

    def __init__(self) -> None:
        self.states: dict[tuple[WorkspaceUid, FlowUid], PacingState] = {}

    def get(self, workspace: WorkspaceUid, flow: FlowUid) -> PacingState:
        return self.states.get((workspace, flow), PacingState())

    def save(self, workspace: WorkspaceUid, flow: FlowUid, state: PacingState) -> bool:
        stored, wanted = self.get(workspace, flow), replace(state, rev=state.rev + 1)
        if stored.rev != state.rev:
            return stored == wanted
        self.states[workspace, flow] = wanted
        return True
