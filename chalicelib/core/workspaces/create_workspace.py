"""Makes a workspace and the admin key that opens it."""

from chalicelib.core.workspaces.api_key import make_key
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.workspace import KnownWorkspace, Scope, Workspace
from chalicelib.ports import Ports


def make_workspace(ports: Ports, name: str, owner: WorkspaceUid | None = None) -> tuple[Workspace, str]:
    """The workspace and its first key, which is shown this once; `owner` is the workspace whose admin asks for it."""
    now = ports.clock.now()
    workspace = Workspace(uid=new_uid(), created_at=now, updated_at=now, name=name)
    uid = WorkspaceUid(workspace.uid)
    known = KnownWorkspace(uid=uid, created_at=now, updated_at=now, name=name)
    # First of all, so that none is made which nobody can find.
    for place in {uid, owner or uid}:
        ports.catalog.add(place, known)
    ports.catalog.add(uid, workspace)
    _, text = make_key(ports, uid, Scope.ADMIN, "first key")
    return workspace, text
