"""Webhooks out: where a workspace's own systems are told what happened, and each telling with its attempts."""

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

#: There is one list of them in a workspace.
WEBHOOKS = "all"
#: Its name in JSON is short and stays, because queues hold messages of the previous version during an update.
_Workspace = Annotated[WorkspaceUid, Field(alias="w")]
#: All lie in one item, and each is written in the same transaction as what it is told (100 writes at most).
MAX_WEBHOOKS = 20
DELIVERY_LIFE = timedelta(days=30)
#: Of the newest attempts that a delivery keeps.
MAX_ATTEMPTS = 20
TEST_EVENT = "webhook.test"
CONTACT_EVENTS = frozenset(f"contact.{word}" for word in ("created", "updated", "tagged", "untagged"))
CONSENT_EVENTS = frozenset(f"consent.{state.lower()}" for state in ConsentState)
#: Told only to who names them, not by `message.*`: every send would be a call.
BY_NAME = frozenset({"message.sent", "message.skipped"})
#: What became of a message on our side, and how a walk ended: told by the rows.
ROW_EVENTS = frozenset(f"message.{outcome}" for outcome in MessageOutcome) | frozenset(
    f"execution.{status}" for status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.SKIPPED)
)
#: What providers report, and contacts do.
MESSAGE_EVENTS = frozenset(f"message.{each.value}" for each in Engagement if each is not Engagement.SENT) | {
    "message.complained",
    "message.unsubscribed",
}
FLOW_EVENTS = frozenset(f"flow.{status}" for status in FlowStatus)
CAMPAIGN_EVENTS = frozenset(f"campaign.{state.lower()}" for state in CampaignState)
#: Every name that a webhook may choose.
ALL_EVENTS = (CONTACT_EVENTS | CONSENT_EVENTS | MESSAGE_EVENTS | ROW_EVENTS | FLOW_EVENTS | CAMPAIGN_EVENTS) | {
    LOW_BALANCE,
    CIRCUIT_OPENED,
}


def _check_choice(choice: str) -> str:
    if not expand_event_names([choice]):
        raise ValueError("must be an event as flow.completed, or a group: " + ", ".join(_groups()))
    return choice


def _groups() -> list[str]:
    return sorted({f"{name.partition('.')[0]}.*" for name in ALL_EVENTS})


#: `flow.completed`, `flow.*`.
EventChoice = Annotated[str, StringConstraints(max_length=64), AfterValidator(_check_choice)]
EventChoices = Annotated[tuple[EventChoice, ...], Field(min_length=1, max_length=100)]


def expand_event_names(choices: Iterable[str]) -> frozenset[str]:
    """The names that choices stand for."""
    found: set[str] = set()
    for choice in choices:
        group = choice.removesuffix("*") if choice.endswith(".*") else None
        chosen = {each for each in ALL_EVENTS - BY_NAME if group and each.startswith(group)}
        found |= chosen | (ALL_EVENTS & {choice})
    return frozenset(found)


class Webhook(StrictModel):
    """One place; its secrets follow from its uid and `generation`, and are kept nowhere."""

    uid: Uid
    url: str
    events: EventChoices
    description: str = ""
    active: bool = True
    #: Why it was switched off, where nobody asked for it.
    disabled_reason: str | None = None
    generation: int = 1
    #: Until then the secret before this one signs as well.
    previous_until: Moment | None = None
    created_at: Moment
    updated_at: Moment

    def wants(self, event: str) -> bool:
        """Whether it is told of this event."""
        return self.active and event in expand_event_names(self.events)


class Webhooks(StoredDocument):
    """All of a workspace."""

    kind: ClassVar[str] = "WEBHOOKS"

    entries: Annotated[tuple[Webhook, ...], Field(max_length=MAX_WEBHOOKS)] = ()

    def find(self, uid: str) -> Webhook | None:
        """The one with this uid."""
        return next((each for each in self.entries if each.uid == uid), None)

    def put(self, webhook: Webhook) -> "Webhooks":
        """With this one in the place of its older self."""
        others = tuple(each for each in self.entries if each.uid != webhook.uid)
        return self.model_copy(update={"entries": (*others, webhook)})

    def without(self, uid: str) -> "Webhooks":
        """Without the one with this uid."""
        return self.model_copy(update={"entries": tuple(each for each in self.entries if each.uid != uid)})

    @property
    def names(self) -> frozenset[str]:
        """Events that some of them want."""
        return expand_event_names(choice for each in self.entries if each.active for choice in each.events)


class DeliveryStatus(StrEnum):
    """Where a delivery stands; a failed one can be replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryAttempt(StrictModel):
    """One call of the webhook: the answer's status, or why there was none."""

    at: Moment
    status: int | None = None
    fault: str | None = None
    milliseconds: int


class WebhookDelivery(StoredDocument):
    """One event on its way to one webhook; its uid is the `webhook-id` by which a receiver knows a repetition."""

    kind: ClassVar[str] = "DELIVERY"

    webhook_uid: Uid
    event: str
    #: The JSON text, the same at every attempt.
    body: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: tuple[DeliveryAttempt, ...] = ()
    #: Since the last replay.
    tries: int = 0
    due: Moment | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.due

    @property
    def forget_at(self) -> datetime:
        return self.created_at + DELIVERY_LIFE

    def marks(self) -> Mapping[str, str]:
        return {"webhookUid": self.webhook_uid, "status": str(self.status)}


class OutgoingCall(StrictModel):
    """All that the function needs that calls webhooks: it may read nothing by itself."""

    version: Annotated[int, Field(alias="v")] = 1
    workspace: _Workspace
    delivery: str
    attempt: int
    url: str
    secrets: tuple[str, ...]
    body: str


class CallResult(StrictModel):
    """What became of a call."""

    workspace: _Workspace
    delivery: str
    attempt: int
    at: Moment
    status: int | None = None
    fault: str | None = None
    milliseconds: int


class DeliveryJob(StrictModel):
    """Deliveries whose time has come."""

    workspace: _Workspace
    uids: tuple[str, ...]
