"""Makes a workspace and the admin key that opens it."""

from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.workspace import Scope, Workspace
from chalicelib.ports import Ports
from chalicelib.usecases.make_key import make_key


def make_workspace(ports: Ports, name: str) -> tuple[Workspace, str]:
    """The workspace and its first key, which is shown this once."""
    now = ports.clock.now()
    workspace = Workspace(uid=new_uid(), created_at=now, updated_at=now, name=name)
    ports.catalog.add(WorkspaceUid(workspace.uid), workspace)
    _, text = make_key(ports, WorkspaceUid(workspace.uid), Scope.ADMIN, "first key")
    return workspace, text
