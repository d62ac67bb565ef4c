"""Which campaigns of a workspace listen to which events: what tells a change of a contact apart from news."""

from typing import ClassVar

from chalicelib.model.base import StoredDocument, StrictModel

#: There is one of it in a workspace.
LISTENERS = "events"


class EventSubscription(StrictModel):
    """An event campaign with its open flow."""

    campaign_uid: str
    flow_uid: str
    event: str


class EventSubscriptions(StoredDocument):
    """All of a workspace. Those whose flow is over are let go when an event finds them so."""

    kind: ClassVar[str] = "LISTENERS"

    entries: tuple[EventSubscription, ...] = ()
    #: Events that a webhook wants.
    told: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Events that somebody listens to."""
        return frozenset((*self.told, *(entry.event for entry in self.entries)))

    def of(self, event: str) -> tuple[EventSubscription, ...]:
        """Those who listen to an event."""
        return tuple(entry for entry in self.entries if entry.event == event)

    def with_listener(self, listener: EventSubscription) -> "EventSubscriptions":
        """With this campaign listening, in place of what it listened to."""
        others = tuple(entry for entry in self.entries if entry.campaign_uid != listener.campaign_uid)
        return self.model_copy(update={"entries": (*others, listener)})

    def without_flow(self, flow_uid: str) -> "EventSubscriptions":
        """Without the listener of this flow."""
        return self.model_copy(update={"entries": tuple(e for e in self.entries if e.flow_uid != flow_uid)})
