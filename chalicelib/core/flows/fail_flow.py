"""Stops a flow by a fault of the run: it waits for its operator, and its rows stay as they are."""

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.pause import PauseCause, PauseReason
from chalicelib.ports import Ports


def fail_flow(ports: Ports, workspace: WorkspaceUid, flow: Flow, reason: str) -> None:
    """RetryLater when somebody moved the flow meanwhile. A flow that is queued begins to run to fail at it."""
    now = ports.clock.now()
    changes = {
        "status": FlowStatus.ERROR,
        "pause": PauseReason(PauseCause.FAULT, reason),
        "paused_at": now,
        "updated_at": now,
    }
    try:
        if flow.status is FlowStatus.QUEUED:
            flow = ports.catalog.save(workspace, flow.model_copy(update={"status": FlowStatus.RUNNING}))
        flow.check_engine_move(FlowStatus.ERROR)
        ports.catalog.save(workspace, flow.model_copy(update=changes))
    except Conflict as error:
        raise RetryLater("The flow moved meanwhile") from error
