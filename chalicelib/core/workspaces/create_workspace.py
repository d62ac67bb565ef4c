"""Create a workspace and its first admin key."""

from chalicelib.core.workspaces.api_key import create_api_key
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.workspace import KnownWorkspace, Scope, Workspace
from chalicelib.ports import Ports


def create_workspace(ports: Ports, name: str, owner: WorkspaceUid | None = None) -> tuple[Workspace, str]:
    """Create a workspace and return it with the text of its first key. The text is not stored.

    `owner` is the workspace of the admin who creates it; both workspaces then list the new one.
    """
    now = ports.clock.now()
    workspace = Workspace(uid=new_uid(), created_at=now, updated_at=now, name=name)
    uid = WorkspaceUid(workspace.uid)
    known = KnownWorkspace(uid=uid, created_at=now, updated_at=now, name=name)
    # The list entries come first. After a crash, a workspace without an entry could not be found again.
    for place in {uid, owner or uid}:
        ports.catalog.add(place, known)
    ports.catalog.add(uid, workspace)
    _, text = create_api_key(ports, uid, Scope.ADMIN, "first key")
    return workspace, text
