"""AWS End User Messaging (`pinpoint-sms-voice-v2`): what SMS and RCS share of its errors and events.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.model.message import (
    AccountUnpaid,
    ChannelFailure,
    MessageType,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
)
from chalicelib.providers.aws_errors import read_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.message import SendResult
    from chalicelib.providers.aws_errors import AwsError, Refusal

#: The key under which the message uid travels in `Context`, and comes back in every event.
CONTEXT_KEY = "message"
_CHANNEL_REASONS = frozenset(
    {"NO_ORIGINATION_IDENTITIES_FOUND", "RESOURCE_NOT_ACTIVE", "REGISTRATION_NOT_COMPLETE"}
    | {"ACCOUNT_DISABLED", "INSUFFICIENT_ACCOUNT_REPUTATION"}
    # Wrong settings of ours: whoever is written to, it would be refused.
    | {"CHANNEL_NOT_ENABLED", "MESSAGE_TYPE_MISMATCH", "NUMBER_CAPABILITIES_MISMATCH", "RESOURCE_NOT_ACCESSIBLE"}
)
_SPENT = "MONTHLY_SPEND_LIMIT_REACHED_FOR_"


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
