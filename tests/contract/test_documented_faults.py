"""Every error and event type in botocore's models of the providers has a defined meaning.

The models grow with botocore: a code that is new in them fails here, so that a maintainer defines its meaning.
"""

from functools import cache
from typing import Any

import botocore.session
import pytest

from chalicelib.model.execution import Engagement
from chalicelib.model.message import (
    AccountUnpaid,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
)
from chalicelib.providers import email, push
from chalicelib.providers import end_user_messaging as _end_user_messaging
from chalicelib.providers import end_user_messaging_events as _events
from chalicelib.providers import whatsapp_aws as _whatsapp_aws
from chalicelib.providers.aws_errors import RATE_PAUSE
from chalicelib.providers.email_events import read_ses_event
from tests.unit.providers.messages import refusal

CHANNEL, GOOD, WAIT, NOBODY_KNOWS, SUPPRESS = (
    ChannelFailure,
    PermanentFailure,
    Throttled,
    OutcomeUnknown,
    RecipientSuppressed,
)
SENDER = "news@example.com"


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def errors(service: str, operation: str) -> dict[str, int]:
    """Return the error codes of an operation, with their HTTP status."""
    found = {}
    for shape in model(service).operation_model(operation).error_shapes:
        told = shape.metadata.get("error", {})
        status = told.get("httpStatusCode") or (500 if shape.metadata.get("fault") else 400)
        found[told.get("code") or shape.name] = status
    return found


SES = {
    "AccountSuspendedException": CHANNEL,
    "BadRequestException": GOOD,
    "LimitExceededException": CHANNEL,
    "MailFromDomainNotVerifiedException": CHANNEL,
    "MessageRejected": GOOD,
    "NotFoundException": CHANNEL,
    "SendingPausedException": CHANNEL,
    "TooManyRequestsException": WAIT,
}
MESSAGING = {
    "AccessDeniedException": CHANNEL,
    "ConflictException": GOOD,
    "InternalServerException": NOBODY_KNOWS,
    "ResourceNotFoundException": CHANNEL,
    "ServiceQuotaExceededException": CHANNEL,
    "ThrottlingException": WAIT,
    "ValidationException": GOOD,
}
SOCIAL = {
    "AccessDeniedException": CHANNEL,
    "DependencyException": NOBODY_KNOWS,
    "InternalServiceException": NOBODY_KNOWS,
    "InvalidParametersException": GOOD,
    "ResourceNotFoundException": CHANNEL,
    "ThrottledRequestException": WAIT,
    "ValidationException": GOOD,
}
SNS = {
    "AuthorizationError": CHANNEL,
    "EndpointDisabled": SUPPRESS,
    "InternalError": NOBODY_KNOWS,
    "InvalidParameter": GOOD,
    "InvalidSecurity": CHANNEL,
    "KMSAccessDenied": CHANNEL,
    "KMSDisabled": CHANNEL,
    "KMSInvalidState": CHANNEL,
    "KMSNotFound": CHANNEL,
    "KMSOptInRequired": CHANNEL,
    "KMSThrottling": WAIT,
    "NotFound": SUPPRESS,
    "ParameterValueInvalid": GOOD,
    "PlatformApplicationDisabled": CHANNEL,
    "ValidationException": GOOD,
}
OPERATIONS = [
    ("sesv2", "SendEmail", SES, lambda error: email.read_error(error, SENDER)),
    ("pinpoint-sms-voice-v2", "SendTextMessage", MESSAGING, _end_user_messaging.read_error),
    ("pinpoint-sms-voice-v2", "SendRcsMessage", MESSAGING, _end_user_messaging.read_error),
    ("socialmessaging", "SendWhatsAppMessage", SOCIAL, _whatsapp_aws.read_error),
    ("sns", "Publish", SNS, push.read_error),
]


@pytest.mark.parametrize(("service", "operation", "table", "read"), OPERATIONS, ids=lambda given: str(given)[:20])
def test_every_error_of_the_model_has_its_verdict(
    service: str, operation: str, table: dict[str, type[SendResult]], read: Any
) -> None:
    known = errors(service, operation)
    assert set(known) == set(table)
    found = {code: type(read(refusal(operation, code, status))) for code, status in known.items()}
    assert found == table


#: Reasons of End User Messaging that apply to the channel, not to one message.
OF_THE_CHANNEL = {
    "CHANNEL_NOT_ENABLED", "MESSAGE_TYPE_MISMATCH", "NO_ORIGINATION_IDENTITIES_FOUND", "NUMBER_CAPABILITIES_MISMATCH",
    "REGISTRATION_NOT_COMPLETE", "RESOURCE_NOT_ACCESSIBLE", "RESOURCE_NOT_ACTIVE",
}  # fmt: skip


def _expected(code: str, reason: str) -> SendResult:
    if code == "ServiceQuotaExceededException":
        is_unpaid = reason.startswith("MONTHLY_SPEND_LIMIT_REACHED_FOR_")
        return AccountUnpaid(reason) if is_unpaid else ChannelFailure(reason)
    if reason == "DESTINATION_PHONE_NUMBER_OPTED_OUT":
        return RecipientSuppressed(reason)
    is_channels = code == "AccessDeniedException" or reason in OF_THE_CHANNEL
    return ChannelFailure(reason) if is_channels else PermanentFailure(reason)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ConflictException", "ServiceQuotaExceededException", "ValidationException"]
)
def test_every_reason_of_end_user_messaging_has_its_verdict(code: str) -> None:
    reasons = model("pinpoint-sms-voice-v2").shape_for(f"{code}Reason").enum
    assert len(reasons) > 1
    for reason in reasons:
        error = refusal("SendTextMessage", code, 400, reason=reason)
        assert _end_user_messaging.read_error(error) == _expected(code, reason), reason


def test_the_reasons_of_the_channel_are_in_the_model() -> None:
    names = ("ConflictExceptionReason", "ValidationExceptionReason")
    known = {reason for name in names for reason in model("pinpoint-sms-voice-v2").shape_for(name).enum}
    assert known >= OF_THE_CHANNEL


def test_every_event_of_end_user_messaging_has_its_engagement() -> None:
    kinds = model("pinpoint-sms-voice-v2").shape_for("EventType").enum
    ours = [kind for kind in kinds if kind.startswith(("TEXT_", "RCS_")) and not kind.endswith("_ALL")]
    assert len(ours) > 20
    for kind in ours:
        event = {"eventType": kind, "messageId": "m-1", "isFinal": True, "context": {"message": "w.f.c.n.1"}}
        (report,) = _events.read_status(event, kind.partition("_")[0] + "_")
        assert report.engagement is not None, kind


#: Names of SES event types: in the API → in the events.
SES_EVENTS = {
    "SEND": ("Send", Engagement.SENT),
    "REJECT": ("Reject", Engagement.FAILED),
    "BOUNCE": ("Bounce", Engagement.BOUNCED),
    "COMPLAINT": ("Complaint", Engagement.DELIVERED),
    "DELIVERY": ("Delivery", Engagement.DELIVERED),
    "OPEN": ("Open", Engagement.OPENED),
    "CLICK": ("Click", Engagement.CLICKED),
    "RENDERING_FAILURE": ("Rendering Failure", Engagement.FAILED),
    "DELIVERY_DELAY": ("DeliveryDelay", Engagement.SENT),
    "SUBSCRIPTION": ("Subscription", None),
}


def test_every_event_of_ses_has_its_engagement() -> None:
    assert set(model("sesv2").shape_for("EventType").enum) == set(SES_EVENTS)
    for kind, engagement in SES_EVENTS.values():
        mail = {"messageId": "0100", "timestamp": "2026-03-02T09:00:00.000Z", "tags": {"message": ["w.f.c.n.1"]}}
        (report,) = read_ses_event({"eventType": kind, "mail": mail})
        assert report.engagement is engagement, kind
        assert str(report.message) == "w.f.c.n.1"


def test_a_throttle_is_waited_for() -> None:
    assert push.read_error(refusal("Publish", "KMSThrottling", 400)) == Throttled(RATE_PAUSE)
