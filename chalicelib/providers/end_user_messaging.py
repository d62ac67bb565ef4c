"""AWS End User Messaging (`pinpoint-sms-voice-v2`): what SMS and RCS share of its errors and events.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.model.delivery_report import DeliveryReport, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.model.message import (
    AccountUnpaid,
    ChannelFailure,
    MessageType,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
)
from chalicelib.providers.aws_errors import read_failure
from chalicelib.providers.event_reader import get_map, get_text, get_value, is_start, is_stop, read_epoch, read_price

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.message import SendResult
    from chalicelib.providers.aws_errors import AwsError, Refusal

#: The key under which the message uid travels in `Context`, and comes back in every event.
CONTEXT_KEY = "message"
#: Prices are told in this currency.
CURRENCY = "USD"
_CHANNEL_REASONS = frozenset(
    {"NO_ORIGINATION_IDENTITIES_FOUND", "RESOURCE_NOT_ACTIVE", "REGISTRATION_NOT_COMPLETE"}
    | {"ACCOUNT_DISABLED", "INSUFFICIENT_ACCOUNT_REPUTATION"}
    # Wrong settings of ours: whoever is written to, it would be refused.
    | {"CHANNEL_NOT_ENABLED", "MESSAGE_TYPE_MISMATCH", "NUMBER_CAPABILITIES_MISMATCH", "RESOURCE_NOT_ACCESSIBLE"}
)
_SPENT = "MONTHLY_SPEND_LIMIT_REACHED_FOR_"
#: What a status says when it is final: engagement, whether it may pass, and why the number is out.
_STATUSES: Mapping[str, tuple[Engagement, bool, SuppressionSignal | None]] = {
    "SENT": (Engagement.SENT, False, None),
    "QUEUED": (Engagement.SENT, False, None),
    "PENDING": (Engagement.SENT, False, None),
    # Taken by the carrier. In some countries nothing better ever comes, so it is final there and yet no delivery.
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


class MessagingClient(Protocol):
    """The calls we make of boto3's client for "pinpoint-sms-voice-v2", whose stubs are not among our requirements."""

    def send_text_message(self, **request: object) -> Mapping[str, object]:
        """AWS's SendTextMessage."""

    def send_rcs_message(self, **request: object) -> Mapping[str, object]:
        """AWS's SendRcsMessage."""


def message_class(message_type: MessageType) -> str:
    """AWS's two classes; PROMOTIONAL keeps the quiet hours and opt-outs that the law wants of advertising."""
    return "PROMOTIONAL" if message_type is MessageType.NEWSLETTER else "TRANSACTIONAL"


def read_error(error: AwsError) -> SendResult:
    """What a failed call means for the message; providers.md has the table."""
    return read_failure(error, _explain)


def _explain(refusal: Refusal) -> SendResult | None:
    reason = refusal.reason
    if refusal.code == "InternalServerException":
        return OutcomeUnknown(refusal.code)
    if refusal.status >= 500:
        return None
    if refusal.code == "ServiceQuotaExceededException":
        return AccountUnpaid(reason) if reason.startswith(_SPENT) else ChannelFailure(reason or refusal.code)
    if reason == "DESTINATION_PHONE_NUMBER_OPTED_OUT":
        return RecipientSuppressed(reason)
    if reason in _CHANNEL_REASONS or refusal.code in {"AccessDeniedException", "ResourceNotFoundException"}:
        return ChannelFailure(reason or refusal.code)
    return PermanentFailure(reason) if reason and refusal.code in {"ValidationException", "ConflictException"} else None


def read_status(event: Mapping[str, object], prefix: str) -> tuple[DeliveryReport, ...]:
    """The report of an event whose type begins with `prefix`, such as TEXT_; none for other events."""
    kind = get_text(event, "eventType")
    if not kind.startswith(prefix) or "messageId" not in event:
        return ()
    engagement, is_soft, suppress = _STATUSES.get(kind.removeprefix(prefix), (None, False, None))
    has_failed = engagement in {Engagement.BOUNCED, Engagement.FAILED}
    if has_failed and get_value(event, "isFinal") is False:
        # It is tried again: all that is sure is that AWS has the message.
        engagement, has_failed, suppress = Engagement.SENT, False, None
    report = DeliveryReport(
        engagement=engagement,
        at=read_epoch(get_text(event, "eventTimestamp"), a_second=1000),
        message=read_message_uid(get_text(get_map(event, "context"), CONTEXT_KEY)),
        provider_id=get_text(event, "messageId"),
        code=kind if has_failed else "",
        is_soft=has_failed and is_soft,
        suppress=suppress,
        address=get_text(event, "destinationPhoneNumber") or None,
        price=read_price(CURRENCY, get_text(event, "totalMessagePrice"), get_text(event, "totalCarrierFee")),
        went_by="sms" if kind == "RCS_FALLEN_BACK_TO_SMS" else None,
    )
    return (report,)


def read_inbound(event: Mapping[str, object]) -> tuple[DeliveryReport, ...]:
    """What somebody wrote back: a two-way number or agent publishes it to SNS."""
    if "inboundMessageId" not in event:
        return ()
    text = get_text(event, "messageBody")
    report = DeliveryReport(
        engagement=Engagement.REPLIED,
        provider_id=get_text(event, "previousPublishedMessageId"),
        suppress=SuppressionSignal.OPTED_OUT if is_stop(text) else None,
        address=get_text(event, "originationNumber") or None,
        reply=text,
        resumes=is_start(text),
    )
    return (report,)
