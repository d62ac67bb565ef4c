"""Event subscriptions of a workspace: which events start which campaigns, and which events webhooks want."""

from typing import Annotated, ClassVar

from pydantic import Field

from chalicelib.model.base import StoredDocument, StrictModel

#: The uid; a workspace has one document.
SUBSCRIPTIONS = "events"


class EventSubscription(StrictModel):
    """An event campaign with its open flow."""

    campaign_uid: str
    flow_uid: str
    event: str


class EventSubscriptions(StoredDocument):
    """All subscriptions of a workspace. The next matching event removes the subscription of an ended flow."""

    kind: ClassVar[str] = "LISTENERS"

    entries: tuple[EventSubscription, ...] = ()
    #: Events that an active webhook wants. The name in JSON is stored.
    webhook_events: Annotated[tuple[str, ...], Field(alias="told")] = ()

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all events that have a subscriber."""
        return frozenset((*self.webhook_events, *(entry.event for entry in self.entries)))

    def of(self, event: str) -> tuple[EventSubscription, ...]:
        """Return the campaigns that subscribe to an event."""
        return tuple(entry for entry in self.entries if entry.event == event)

    def with_subscription(self, subscription: EventSubscription) -> "EventSubscriptions":
        """Return the subscriptions with this campaign's subscription added or replaced."""
        others = tuple(entry for entry in self.entries if entry.campaign_uid != subscription.campaign_uid)
        return self.model_copy(update={"entries": (*others, subscription)})

    def without_flow(self, flow_uid: str) -> "EventSubscriptions":
        """Return the subscriptions without that of this flow."""
        return self.model_copy(update={"entries": tuple(e for e in self.entries if e.flow_uid != flow_uid)})
