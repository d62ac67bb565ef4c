"""Read and change the event subscriptions of a workspace."""

from contextlib import suppress

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.event_subscription import SUBSCRIPTIONS, EventSubscription, EventSubscriptions
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Attempts against other campaigns that are launched or published at the same time.
TRIES = 6


def find_subscriptions(ports: Ports, workspace: WorkspaceUid) -> EventSubscriptions | None:
    """Return the current subscriptions of the workspace, or None if there have never been any."""
    return ports.catalog.find(workspace, EventSubscriptions, SUBSCRIPTIONS)


def get_subscriptions(ports: Ports, workspace: WorkspaceUid) -> EventSubscriptions:
    """Return the stored subscriptions. Creates the document if it is missing."""
    found = find_subscriptions(ports, workspace)
    if found is None:
        now = ports.clock.now()
        with suppress(Conflict):
            ports.catalog.add(workspace, EventSubscriptions(uid=SUBSCRIPTIONS, created_at=now, updated_at=now))
        found = ports.catalog.get(workspace, EventSubscriptions, SUBSCRIPTIONS)
    return found


def update_subscription(ports: Ports, workspace: WorkspaceUid, subscription: EventSubscription) -> None:
    """Add a campaign's subscription or replace it. Raises RetryLater after too many conflicts."""
    for _ in range(TRIES):
        before = get_subscriptions(ports, workspace)
        after = before.with_subscription(subscription)
        if subscription in before.entries:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, after)
            return
    raise RetryLater("Other campaigns of the workspace are being launched; try again")


def unsubscribe_flow(ports: Ports, workspace: WorkspaceUid, flow_uid: str) -> None:
    """Remove the subscription of a flow that has ended. After a conflict the next event removes it."""
    before = find_subscriptions(ports, workspace)
    if before is not None:
        with suppress(Conflict):
            ports.catalog.save(workspace, before.without_flow(flow_uid))
