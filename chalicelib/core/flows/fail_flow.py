"""Stop a flow because of a fault of its run."""

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports


def fail_flow(ports: Ports, workspace: WorkspaceUid, flow: Flow, fault: str) -> None:
    """Set the flow to `error` until an operator resumes it; its executions stay as they are.

    A queued flow becomes `running` first, because the status table has no move from `queued` to `error`.
    Raises RetryLater if another worker or an operator moved the flow.
    """
    now = ports.clock.now()
    try:
        if flow.status is FlowStatus.QUEUED:
            flow = ports.catalog.save(workspace, flow.running())
        ports.catalog.save(workspace, flow.stopped(fault, now))
    except Conflict as error:
        raise RetryLater("The flow was moved in between; try again") from error
