"""Who listens to which event: read, joined, changed and left."""

from contextlib import suppress

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.event_subscription import LISTENERS, Listener, Listeners
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Tries against other campaigns that are launched or published at the same moment.
TRIES = 6


def find_listeners(ports: Ports, workspace: WorkspaceUid) -> Listeners | None:
    """All of the workspace, as they are now; None where there never were any."""
    return ports.catalog.find(workspace, Listeners, LISTENERS)


def get_listeners(ports: Ports, workspace: WorkspaceUid) -> Listeners:
    """The stored document, made if it was not there."""
    found = find_listeners(ports, workspace)
    if found is None:
        now = ports.clock.now()
        with suppress(Conflict):
            ports.catalog.add(workspace, Listeners(uid=LISTENERS, created_at=now, updated_at=now))
        found = ports.catalog.get(workspace, Listeners, LISTENERS)
    return found


def change_listener(ports: Ports, workspace: WorkspaceUid, listener: Listener) -> None:
    """The campaign listens to this event from now on."""
    for _ in range(TRIES):
        before = get_listeners(ports, workspace)
        after = before.with_listener(listener)
        if listener in before.entries:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, after)
            return
    raise RetryLater("Many campaigns are being launched at once, try again")


def leave(ports: Ports, workspace: WorkspaceUid, flow_uid: str) -> None:
    """Lets the listener of a flow that is over go; whoever meets it next does it if this one is too late."""
    before = find_listeners(ports, workspace)
    if before is not None:
        with suppress(Conflict):
            ports.catalog.save(workspace, before.without_flow(flow_uid))
