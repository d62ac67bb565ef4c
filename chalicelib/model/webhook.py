"""Outgoing webhooks: endpoints of a workspace's own systems, and the deliveries to them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from chalicelib.model.alert import CIRCUIT_OPENED, LOW_BALANCE
from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.campaign import CampaignState
from chalicelib.model.contact import ConsentState
from chalicelib.model.execution import Engagement, ExecutionStatus, MessageOutcome
from chalicelib.model.flow import FlowStatus
from chalicelib.model.ids import WorkspaceUid

#: The uid; a workspace has one document.
WEBHOOKS = "all"
#: The short JSON name must not change, because queues hold messages of the previous version during an update.
_Workspace = Annotated[WorkspaceUid, Field(alias="w")]
#: All webhooks are in one item, and a transaction (at most 100 writes) may store a delivery for each.
MAX_WEBHOOKS = 20
DELIVERY_LIFE = timedelta(days=30)
#: Attempts that a delivery stores, newest last.
MAX_ATTEMPTS = 20
TEST_EVENT = "webhook.test"
CONTACT_EVENTS = frozenset(f"contact.{word}" for word in ("created", "updated", "tagged", "untagged"))
CONSENT_EVENTS = frozenset(f"consent.{state.lower()}" for state in ConsentState)
#: Delivered only to webhooks that name them, not by `message.*`, because each send would be a call.
EXPLICIT_EVENTS = frozenset({"message.sent", "message.skipped"})
#: Outcome of a message, and the end of an execution; published when executions are saved.
EXECUTION_EVENTS = frozenset(f"message.{outcome}" for outcome in MessageOutcome) | frozenset(
    f"execution.{status}" for status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.SKIPPED)
)
#: Reports of providers, and actions of contacts.
MESSAGE_EVENTS = frozenset(f"message.{each.value}" for each in Engagement if each is not Engagement.SENT) | {
    "message.complained",
    "message.unsubscribed",
}
FLOW_EVENTS = frozenset(f"flow.{status}" for status in FlowStatus)
CAMPAIGN_EVENTS = frozenset(f"campaign.{state.lower()}" for state in CampaignState)
#: Every event name that a webhook may choose.
ALL_EVENTS = (CONTACT_EVENTS | CONSENT_EVENTS | MESSAGE_EVENTS | EXECUTION_EVENTS | FLOW_EVENTS | CAMPAIGN_EVENTS) | {
    LOW_BALANCE,
    CIRCUIT_OPENED,
}


def _check_choice(choice: str) -> str:
    if not expand_event_names([choice]):
        raise ValueError("must be an event such as flow.completed, or one of the groups " + ", ".join(_groups()))
    return choice


def _groups() -> list[str]:
    return sorted({f"{name.partition('.')[0]}.*" for name in ALL_EVENTS})


#: An event or a group: `flow.completed`, `flow.*`.
EventChoice = Annotated[str, StringConstraints(max_length=64), AfterValidator(_check_choice)]
EventChoices = Annotated[tuple[EventChoice, ...], Field(min_length=1, max_length=100)]


def expand_event_names(choices: Iterable[str]) -> frozenset[str]:
    """Return the event names that the choices include."""
    found: set[str] = set()
    for choice in choices:
        group = choice.removesuffix("*") if choice.endswith(".*") else None
        chosen = {each for each in ALL_EVENTS - EXPLICIT_EVENTS if group and each.startswith(group)}
        found |= chosen | (ALL_EVENTS & {choice})
    return frozenset(found)


class Webhook(StrictModel):
    """A webhook endpoint. Its secrets are derived from its uid and `generation`, and are not stored."""

    uid: Uid
    url: str
    events: EventChoices
    description: str = ""
    active: bool = True
    #: Why Carillon has disabled the webhook; None if an operator did.
    disabled_reason: str | None = None
    generation: int = 1
    #: Until this time, requests are also signed with the previous secret.
    previous_until: Moment | None = None
    created_at: Moment
    updated_at: Moment

    def wants(self, event: str) -> bool:
        """Report whether the webhook receives this event."""
        return self.active and event in expand_event_names(self.events)


class Webhooks(StoredDocument):
    """All webhooks of a workspace."""

    kind: ClassVar[str] = "WEBHOOKS"

    entries: Annotated[tuple[Webhook, ...], Field(max_length=MAX_WEBHOOKS)] = ()

    def find(self, uid: str) -> Webhook | None:
        """Return the webhook with this uid, or None."""
        return next((each for each in self.entries if each.uid == uid), None)

    def put(self, webhook: Webhook) -> "Webhooks":
        """Return the list with a webhook added or replaced."""
        others = tuple(each for each in self.entries if each.uid != webhook.uid)
        return self.model_copy(update={"entries": (*others, webhook)})

    def without(self, uid: str) -> "Webhooks":
        """Return the list without a webhook."""
        return self.model_copy(update={"entries": tuple(each for each in self.entries if each.uid != uid)})

    @property
    def names(self) -> frozenset[str]:
        """The events that at least one active webhook receives."""
        return expand_event_names(choice for each in self.entries if each.active for choice in each.events)


class DeliveryStatus(StrEnum):
    """Status of a delivery. A failed delivery can be replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryAttempt(StrictModel):
    """One call of the webhook: the status of the response, or the fault if no response arrived."""

    at: Moment
    """Time of the attempt."""
    status: int | None = None
    """HTTP status of the answer; null without an answer."""
    fault: str | None = None
    """Why there was no answer; null if there was one."""
    milliseconds: int
    """Duration of the attempt, in ms."""


class WebhookDelivery(StoredDocument):
    """An event for one webhook. Its uid is sent as `webhook-id`, so that receivers recognise a repeated delivery."""

    kind: ClassVar[str] = "DELIVERY"

    webhook_uid: Uid
    event: str
    #: JSON text, the same in every attempt.
    body: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: tuple[DeliveryAttempt, ...] = ()
    #: Attempts since the last replay.
    tries: int = 0
    due: Moment | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.due

    @property
    def forget_at(self) -> datetime:
        return self.created_at + DELIVERY_LIFE

    def filter_attributes(self) -> Mapping[str, str]:
        return {"webhookUid": self.webhook_uid, "status": str(self.status)}


class OutgoingCall(StrictModel):
    """A call to make, with all its data: the calling function has no access to stored data."""

    version: Annotated[int, Field(alias="v")] = 1
    workspace: _Workspace
    delivery: str
    attempt: int
    url: str
    secrets: tuple[str, ...]
    body: str


class CallResult(StrictModel):
    """Result of a call."""

    workspace: _Workspace
    delivery: str
    attempt: int
    at: Moment
    status: int | None = None
    fault: str | None = None
    milliseconds: int


class DeliveryJob(StrictModel):
    """Deliveries that are due."""

    workspace: _Workspace
    uids: tuple[str, ...]
