"""Change the settings of a workspace."""

from collections.abc import Mapping

from chalicelib.core.contacts.validate_contact import is_timezone
from chalicelib.errors import invalid
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports


def update_workspace(ports: Ports, workspace: WorkspaceUid, changes: Mapping[str, object]) -> Workspace:
    """Apply changes, keyed by Python field names.

    Raises InvalidRequest for an unknown time zone, and Conflict if the workspace changed at the same time.
    """
    zone = changes.get("timezone")
    if isinstance(zone, str) and not is_timezone(zone):
        raise invalid("timezone", f"{zone!r} is not an IANA time zone; write it like Europe/Berlin")
    stored = ports.catalog.get(workspace, Workspace, workspace)
    changed = stored.model_copy(update={**changes, "updated_at": ports.clock.now()})
    return ports.catalog.save(workspace, changed)
