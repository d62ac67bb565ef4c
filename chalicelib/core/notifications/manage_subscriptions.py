"""Read and change the event subscriptions of a workspace."""

from contextlib import suppress

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.event_subscription import LISTENERS, EventSubscription, EventSubscriptions
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Attempts against campaigns that are launched or published at the same time.
TRIES = 6


def find_subscriptions(ports: Ports, workspace: WorkspaceUid) -> EventSubscriptions | None:
    """Return all subscriptions of the workspace, or None if there never were any."""
    return ports.catalog.find(workspace, EventSubscriptions, LISTENERS)


def get_subscriptions(ports: Ports, workspace: WorkspaceUid) -> EventSubscriptions:
    """Return the stored document of subscriptions. Creates it if it does not exist."""
    found = find_subscriptions(ports, workspace)
    if found is None:
        now = ports.clock.now()
        with suppress(Conflict):
            ports.catalog.add(workspace, EventSubscriptions(uid=LISTENERS, created_at=now, updated_at=now))
        found = ports.catalog.get(workspace, EventSubscriptions, LISTENERS)
    return found


def update_subscription(ports: Ports, workspace: WorkspaceUid, subscription: EventSubscription) -> None:
    """Subscribe a campaign to its event."""
    for _ in range(TRIES):
        before = get_subscriptions(ports, workspace)
        after = before.with_listener(subscription)
        if subscription in before.entries:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, after)
            return
    raise RetryLater("Too many campaigns are launched at the same time; try again")


def unsubscribe_flow(ports: Ports, workspace: WorkspaceUid, flow_uid: str) -> None:
    """Remove the subscription of an ended flow. If this write loses a race, the next event removes it."""
    before = find_subscriptions(ports, workspace)
    if before is not None:
        with suppress(Conflict):
            ports.catalog.save(workspace, before.without_flow(flow_uid))
