"""AWS End User Messaging: read the events of SMS and RCS as delivery reports.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.providers.event_model import LENIENT, Flag, ProviderEvent, Text
from chalicelib.providers.event_reader import is_start, is_stop, read_epoch, read_price

#: AWS reports prices in this currency.
CURRENCY = "USD"
#: Final status → engagement, whether the failure is temporary, and why the number is suppressed.
_STATUSES: Mapping[str, tuple[Engagement, bool, SuppressionSignal | None]] = {
    "SENT": (Engagement.SENT, False, None),
    "QUEUED": (Engagement.SENT, False, None),
    "PENDING": (Engagement.SENT, False, None),
    # The carrier accepted the message. In some countries this is the last event, so it is final but no delivery.
    "SUCCESSFUL": (Engagement.SENT, False, None),
    "DELIVERED": (Engagement.DELIVERED, False, None),
    "READ": (Engagement.OPENED, False, None),
    "FALLEN_BACK_TO_SMS": (Engagement.SENT, False, None),
    "INVALID": (Engagement.BOUNCED, False, SuppressionSignal.HARD_BOUNCE),
    "UNREACHABLE": (Engagement.BOUNCED, True, None),
    "CARRIER_UNREACHABLE": (Engagement.BOUNCED, True, None),
    "BLOCKED": (Engagement.BOUNCED, False, None),
    "CARRIER_BLOCKED": (Engagement.FAILED, False, None),
    "INVALID_MESSAGE": (Engagement.FAILED, False, None),
    "SPAM": (Engagement.FAILED, False, None),
    "UNKNOWN": (Engagement.FAILED, True, None),
    "TTL_EXPIRED": (Engagement.FAILED, True, None),
    "PROTECT_BLOCKED": (Engagement.FAILED, False, None),
    "FAILED": (Engagement.FAILED, False, None),
}


class _MessagingObject(ProviderEvent):
    model_config = ConfigDict(alias_generator=to_camel)


class _Context(_MessagingObject):
    """The `Context` that was sent with the message; `message` holds the message uid."""

    message: Text = ""


class _StatusEvent(_MessagingObject):
    event_type: Text = ""
    #: Epoch time in ms.
    event_timestamp: Text = ""
    is_final: Flag = None
    message_id: Text = ""
    context: Annotated[_Context, LENIENT] = Field(default_factory=_Context)
    destination_phone_number: Text = ""
    total_message_price: Text = ""
    total_carrier_fee: Text = ""


class _InboundMessage(_MessagingObject):
    #: The message that this one answers.
    previous_published_message_id: Text = ""
    origination_number: Text = ""
    message_body: Text = ""


def read_status(body: Mapping[str, object], prefix: str) -> tuple[DeliveryReport, ...]:
    """Return the report of an event with a type that starts with `prefix`, such as TEXT_. Nothing for other events."""
    event = _StatusEvent.read(body)
    kind = event.event_type
    if not kind.startswith(prefix) or "messageId" not in body:
        return ()
    engagement, is_soft, suppress = _STATUSES.get(kind.removeprefix(prefix), (None, False, None))
    has_failed = engagement in {Engagement.BOUNCED, Engagement.FAILED}
    if has_failed and event.is_final is False:
        # AWS tries again. The event proves only that AWS has the message.
        engagement, has_failed, suppress = Engagement.SENT, False, None
    report = DeliveryReport(
        engagement=engagement,
        at=read_epoch(event.event_timestamp, per_second=1000),
        message=read_message_uid(event.context.message),
        provider_id=event.message_id,
        code=kind if has_failed else "",
        is_soft=has_failed and is_soft,
        suppress=suppress,
        address=event.destination_phone_number or None,
        price=read_price(CURRENCY, event.total_message_price, event.total_carrier_fee),
        delivered_by="sms" if kind == "RCS_FALLEN_BACK_TO_SMS" else None,
    )
    return (report,)


def read_inbound(body: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    """Return the reply that a two-way number or agent publishes to SNS, or none for any other object."""
    inbound = _InboundMessage.read(body)
    # Only the presence of the id tells an inbound message: an opt-out with an odd id is still an opt-out.
    if "inboundMessageId" not in body:
        return ()
    text = inbound.message_body
    report = DeliveryReport(
        engagement=Engagement.REPLIED,
        provider_id=inbound.previous_published_message_id,
        suppress=SuppressionSignal.OPTED_OUT if is_stop(text) else None,
        address=inbound.origination_number or None,
        reply=text,
        resumes=is_start(text),
    )
    return (report,)
