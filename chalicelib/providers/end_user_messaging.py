"""AWS End User Messaging (`pinpoint-sms-voice-v2`): errors and requests that SMS and RCS share.

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

#: Key of the message uid in `Context`, which every event returns.
CONTEXT_KEY = "message"
_CHANNEL_REASONS = frozenset(
    {"NO_ORIGINATION_IDENTITIES_FOUND", "RESOURCE_NOT_ACTIVE", "REGISTRATION_NOT_COMPLETE"}
    | {"ACCOUNT_DISABLED", "INSUFFICIENT_ACCOUNT_REPUTATION"}
    # Wrong settings: every recipient would be refused.
    | {"CHANNEL_NOT_ENABLED", "MESSAGE_TYPE_MISMATCH", "NUMBER_CAPABILITIES_MISMATCH", "RESOURCE_NOT_ACCESSIBLE"}
)
_SPENT = "MONTHLY_SPEND_LIMIT_REACHED_FOR_"


class MessagingClient(Protocol):
    """The used calls of the client for "pinpoint-sms-voice-v2". Its type stubs are not installed."""

    def send_text_message(self, **request: object) -> Mapping[str, object]:
        """Call SendTextMessage."""

    def send_rcs_message(self, **request: object) -> Mapping[str, object]:
        """Call SendRcsMessage."""


def message_class(message_type: MessageType) -> str:
    """Return the message class of AWS. PROMOTIONAL respects the quiet hours and opt-outs that law requires of ads."""
    return "PROMOTIONAL" if message_type is MessageType.NEWSLETTER else "TRANSACTIONAL"


def read_error(error: AwsError) -> SendResult:
    """Return the send result of a failed call."""
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
