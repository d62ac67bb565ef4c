"""Who listens to which event: read, joined, changed and left."""

from contextlib import suppress

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.event_subscription import LISTENERS, EventSubscription, EventSubscriptions
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Tries against other campaigns that are launched or published at the same moment.
TRIES = 6


def find_subscriptions(ports: Ports, workspace: WorkspaceUid) -> EventSubscriptions | None:
    """All of the workspace, as they are now; None where there never were any."""
    return ports.catalog.find(workspace, EventSubscriptions, LISTENERS)


def get_subscriptions(ports: Ports, workspace: WorkspaceUid) -> EventSubscriptions:
    """The stored document, made if it was not there."""
    found = find_subscriptions(ports, workspace)
    if found is None:
        now = ports.clock.now()
        with suppress(Conflict):
            ports.catalog.add(workspace, EventSubscriptions(uid=LISTENERS, created_at=now, updated_at=now))
        found = ports.catalog.get(workspace, EventSubscriptions, LISTENERS)
    return found


def update_subscription(ports: Ports, workspace: WorkspaceUid, listener: EventSubscription) -> None:
    """The campaign listens to this event from now on."""
    for _ in range(TRIES):
        before = get_subscriptions(ports, workspace)
        after = before.with_listener(listener)
        if listener in before.entries:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, after)
            return
    raise RetryLater("Many campaigns are being launched at once, try again")


def unsubscribe_flow(ports: Ports, workspace: WorkspaceUid, flow_uid: str) -> None:
    """Lets the listener of a flow that is over go; whoever meets it next does it if this one is too late."""
    before = find_subscriptions(ports, workspace)
    if before is not None:
        with suppress(Conflict):
            ports.catalog.save(workspace, before.without_flow(flow_uid))
