"""Publish what a contact did with a message: to its event history, to event campaigns and to webhooks."""

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

#: Longest reply that an event keeps, in characters. Properties of an event are limited and are copied to executions.
MAX_REPLY = 1_000
#: Opt-out of a report → last part of the event's name.
_OPT_OUT_EVENTS = {
    SuppressionSignal.COMPLAINT: "complained",
    SuppressionSignal.OPTED_OUT: "unsubscribed",
    SuppressionSignal.OPTED_OUT_OF_MARKETING: "unsubscribed",
}


@dataclass(frozen=True, slots=True)
class EngagementEvent:
    """The time of an event, and an id that differs for another event of the same kind."""

    at: datetime
    id: str


def publish_engagement(
    ports: Ports,
    workspace: WorkspaceUid,
    contact: ContactUid,
    report: DeliveryReport,
    origin: tuple[MatchedMessage | None, EngagementEvent],
) -> None:
    """Publish the events of a report. Ids are stable, so a repeated report publishes the same events again.

    `sent` is no event, because the contact did nothing.
    """
    found, occasion = origin
    kinds = [_OPT_OUT_EVENTS[report.suppress]] if report.suppress in _OPT_OUT_EVENTS else []
    if report.engagement is not None and report.engagement is not Engagement.SENT:
        kinds.append(report.engagement.value)
    if not kinds or occasion.at < ports.clock.now() - EVENT_LIFE:
        return
    properties = _describe(found, report)
    events = [
        Event(
            id=_build_id(kind, occasion.id),
            name=f"message.{kind}",
            contact_uid=contact,
            properties=properties,
            occurred_at=occasion.at,
        )
        for kind in kinds
    ]
    ports.event_queue.send(workspace, events)


def message_occasion(uid: MessageUid, at: datetime) -> EngagementEvent:
    """Return the occasion of a message: it is delivered, opened or clicked once, however often that is reported."""
    return EngagementEvent(at, str(uid))


def _build_id(kind: str, occasion: str) -> str:
    """Build an event id. The occasion is hashed, because a message uid may be longer than an event id."""
    return f"message.{kind}:{blake2b(occasion.encode(), digest_size=16).hexdigest()}"


def _describe(found: MatchedMessage | None, report: DeliveryReport) -> Mapping[str, JsonValue]:
    message: dict[str, JsonValue] = {}
    if found:
        uid = found.uid
        message = {"messageUid": str(uid), "flowUid": uid.flow, "campaignUid": found.flow.campaign_uid}
        message |= {"nodeId": uid.node, "channelUid": found.channel}
    reported = {"code": report.code, "reply": (report.reply or "")[:MAX_REPLY], "wentBy": report.delivered_by}
    return {**message, **{name: text for name, text in reported.items() if text}}
