"""Amazon SES's event publishing: bounces, complaints and engagement as reports.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.providers.event_reader import get_map, get_maps, get_text, get_value, read_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.ids import MessageUid

#: Event type → the object of the event that tells of it, and what it says of the message.
#: A complaint, an open or a delay each prove that the mail was accepted; a complaint even that it arrived.
_EVENTS = {
    "Send": ("send", Engagement.SENT),
    "Delivery": ("delivery", Engagement.DELIVERED),
    "DeliveryDelay": ("deliveryDelay", Engagement.SENT),
    "Bounce": ("bounce", Engagement.BOUNCED),
    "Complaint": ("complaint", Engagement.DELIVERED),
    "Reject": ("reject", Engagement.FAILED),
    "Rendering Failure": ("failure", Engagement.FAILED),
    "Open": ("open", Engagement.OPENED),
    "Click": ("click", Engagement.CLICKED),
    "Subscription": ("subscription", None),
}
_CODES: Mapping[str, tuple[str, ...]] = {
    "Bounce": ("bounceType", "bounceSubType"),
    "Complaint": ("complaintFeedbackType",),
    "DeliveryDelay": ("delayType",),
    "Reject": ("reason",),
    "Rendering Failure": ("templateName",),
}


def read_ses_event(event: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    """The one report of an event; none for what is no event of SES."""
    # "notificationType" is what SES's older feedback notifications call it.
    kind = get_text(event, "eventType") or get_text(event, "notificationType")
    if kind not in _EVENTS or "mail" not in event:
        return ()
    part, engagement = _EVENTS[kind]
    told = get_map(event, part)
    report = DeliveryReport(
        engagement=engagement,
        at=read_iso(get_text(told, "timestamp") or get_text(event, "mail", "timestamp")),
        message=_find_message(event),
        provider_id=get_text(event, "mail", "messageId"),
        code=".".join(filter(None, (get_text(told, name) for name in _CODES.get(kind, ())))),
        is_soft=kind == "Bounce" and get_text(told, "bounceType") != "Permanent",
        suppress=_find_suppression(kind, told),
        address=_find_address(kind, event, told),
    )
    return (report,)


def _find_message(event: Mapping[str, object]) -> MessageUid | None:
    return read_message_uid(get_text(event, "mail", "tags", "message", 0))


def _find_suppression(kind: str, told: Mapping[str, object]) -> SuppressionSignal | None:
    if kind == "Bounce" and get_text(told, "bounceType") == "Permanent":
        return SuppressionSignal.HARD_BOUNCE
    # "not-spam" is somebody who takes a mail out of the spam folder.
    if kind == "Complaint" and get_text(told, "complaintFeedbackType") != "not-spam":
        return SuppressionSignal.COMPLAINT
    if kind == "Subscription" and get_value(told, "newTopicPreferences", "unsubscribeAll") is True:
        return SuppressionSignal.OPTED_OUT
    return None


def _find_address(kind: str, event: Mapping[str, object], told: Mapping[str, object]) -> str | None:
    recipients = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}
    named = get_maps(told, recipients[kind]) if kind in recipients else []
    address = get_text(named, 0, "emailAddress") or get_text(event, "mail", "destination", 0)
    return address or None
