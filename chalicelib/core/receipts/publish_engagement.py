"""Tells of what a contact did with a message: into its history, to event campaigns, and so to segments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from pydantic import JsonValue

from chalicelib.core.receipts.update_engagement import MatchedMessage
from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.event import EVENT_LIFE, Event
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import ContactUid, MessageUid, WorkspaceUid
from chalicelib.ports import Ports

#: What a contact wrote is kept up to here: the properties of an event have their limit, and travel on rows.
MAX_REPLY = 1_000
#: What a contact's no is called in its history.
_NOES = {
    SuppressionSignal.COMPLAINT: "complained",
    SuppressionSignal.OPTED_OUT: "unsubscribed",
    SuppressionSignal.OPTED_OUT_OF_MARKETING: "unsubscribed",
}


@dataclass(frozen=True, slots=True)
class EngagementEvent:
    """When it happened, and what tells it from another report of the same kind."""

    at: datetime
    id: str


def publish_engagement(
    ports: Ports,
    workspace: WorkspaceUid,
    contact: ContactUid,
    report: DeliveryReport,
    told: tuple[MatchedMessage | None, EngagementEvent],
) -> None:
    """Every time with the same ids, so that it may be told again. That it was sent is no news of the contact."""
    found, occasion = told
    words = [_NOES[report.suppress]] if report.suppress in _NOES else []
    if report.engagement is not None and report.engagement is not Engagement.SENT:
        words.append(report.engagement.value)
    if not words or occasion.at < ports.clock.now() - EVENT_LIFE:
        return
    properties = _describe(found, report)
    events = [
        Event(
            id=_build_id(word, occasion.id),
            name=f"message.{word}",
            contact_uid=contact,
            properties=properties,
            occurred_at=occasion.at,
        )
        for word in words
    ]
    ports.event_queue.send(workspace, events)


def message_occasion(uid: MessageUid, at: datetime) -> EngagementEvent:
    """A message is delivered, opened or clicked once, however often that is reported."""
    return EngagementEvent(at, str(uid))


def _build_id(word: str, occasion: str) -> str:
    """A message uid may be longer than the id of an event."""
    return f"message.{word}:{blake2b(occasion.encode(), digest_size=16).hexdigest()}"


def _describe(found: MatchedMessage | None, report: DeliveryReport) -> Mapping[str, JsonValue]:
    about: dict[str, JsonValue] = {}
    if found:
        uid = found.uid
        about = {"messageUid": str(uid), "flowUid": uid.flow, "campaignUid": found.flow.campaign_uid}
        about |= {"nodeId": uid.node, "channelUid": found.channel}
    said = {"code": report.code, "reply": (report.reply or "")[:MAX_REPLY], "wentBy": report.went_by}
    return {**about, **{name: text for name, text in said.items() if text}}
