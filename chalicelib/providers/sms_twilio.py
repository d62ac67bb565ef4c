"""SMS over Twilio (`POST …/Messages.json`), its status callbacks and inbound texts.

https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlencode

from pydantic import Field, model_validator

from chalicelib.errors import NotFound, RetryLater
from chalicelib.model.base import StrictModel
from chalicelib.model.delivery_report import build_callback_id
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    Throttled,
)
from chalicelib.providers.base import BaseChannelType, SecretName, get_setting
from chalicelib.providers.event_model import ProviderEvent, Text
from chalicelib.providers.event_reader import read_json
from chalicelib.providers.http import Reply, Request, read_retry_after
from chalicelib.providers.secrets import get_secret, read_secret_fault
from chalicelib.providers.signatures import verify_twilio
from chalicelib.providers.sms_twilio_events import UNSUBSCRIBED, read_callback, read_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.channel import Channel
    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.ids import WorkspaceUid
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.base import Secrets
    from chalicelib.providers.http import Http

#: Twilio's queue holds more than ten hours of messages. It accepts none until the queue is shorter.
QUEUE_PAUSE = timedelta(minutes=1)
_QUEUE_FULL = frozenset({"21611", "30001"})
#: Error codes of credentials, account, sender or messaging service.
_CHANNEL_CODES = frozenset(
    {"20003", "20005", "20006", "20404", "21603", "21620", "21701", "21703", "21705", "30002", "30034"}
)


class TwilioSmsSettings(StrictModel):
    """Settings of an SMS channel over Twilio, with a sender or a messaging service.

    The secret is a JSON object: `authToken`, which signs callbacks, and for an API key `apiKey` and `apiSecret`.
    """

    provider: Literal["twilio"]
    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
    secret_name: SecretName
    #: Number in E.164, short code or alphanumeric sender id.
    sender: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{4,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11})$")] | None = None
    messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-fA-F]{32}$")] | None = None
    validity_period_seconds: Annotated[int, Field(ge=1, le=36_000)] | None = None

    @model_validator(mode="after")
    def _has_one_sender(self) -> Self:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError("set exactly one of sender and messagingServiceSid")
        return self


class _TwilioResponse(ProviderEvent):
    """The response to a send: the id of the message, or the code of the error."""

    sid: Text = ""
    code: Text = ""


class TwilioSms(BaseChannelType):
    """Twilio. It has no idempotency token, so a repeated send is a second message."""

    def __init__(self, http: Http, secrets: Secrets, base_url: str, public_url: str) -> None:
        """Set the base URL of callbacks. Empty: callbacks are not requested."""
        self._http, self._secrets, self._base_url, self._public_url = http, secrets, base_url, public_url

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one request."""
        try:
            secret = get_secret(self._secrets, outgoing.uid.workspace, outgoing.channel)
        except (NotFound, RetryLater) as error:
            return read_secret_fault(error)
        reply = self._http.post(build_request(outgoing, secret, self._base_url, self._public_url))
        return read_answer(reply) if isinstance(reply, Reply) else reply

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of a status callback or an inbound text."""
        return read_callback(callback)

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """Check `X-Twilio-Signature`. It has no timestamp, but a replayed report changes nothing."""
        token = get_secret(self._secrets, workspace, channel).get("authToken", "")
        return verify_twilio(token, callback.url, read_form(callback), callback.headers.get("x-twilio-signature", ""))


def build_request(outgoing: OutgoingMessage, secret: Mapping[str, str], base_url: str, public_url: str) -> Request:
    """Build a form request with basic authentication by the API key or the account's token."""
    account = get_setting(outgoing.channel, "accountSid")
    user = secret.get("apiKey") or account
    password = secret.get("apiSecret") if secret.get("apiKey") else secret.get("authToken")
    form = {
        "To": outgoing.to,
        "Body": outgoing.content["text"],
        "From": get_setting(outgoing.channel, "sender"),
        "MessagingServiceSid": get_setting(outgoing.channel, "messagingServiceSid"),
        "ValidityPeriod": get_setting(outgoing.channel, "validityPeriodSeconds"),
        "StatusCallback": _callback_url(outgoing, public_url),
    }
    login = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
    return Request(
        url=f"{base_url}/2010-04-01/Accounts/{account}/Messages.json",
        headers={"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({name: value for name, value in form.items() if value}).encode(),
    )


def _callback_url(outgoing: OutgoingMessage, public_url: str) -> str:
    """Return the callback URL. Twilio signs its query, so a status cannot be moved to another message."""
    hook = build_callback_id(outgoing.uid.workspace, outgoing.channel.uid)
    return f"{public_url}/v1/hooks/{hook}?message={outgoing.uid}" if public_url else ""


def read_answer(reply: Reply) -> SendResult:
    """Return the send result of a response. Twilio's error codes are more specific than the HTTP status."""
    response = _TwilioResponse.read(read_json(reply.body))
    code = response.code
    if reply.status in {200, 201}:
        return Accepted(response.sid) if response.sid else OutcomeUnknown("no_message_id")
    if reply.status == 429 or code == "20429":
        return Throttled(read_retry_after(reply))
    if not 400 <= reply.status < 500:
        return OutcomeUnknown(code or f"status_{reply.status}")
    if code in _QUEUE_FULL:
        return Throttled(read_retry_after(reply) or QUEUE_PAUSE)
    if code == UNSUBSCRIBED:
        return RecipientSuppressed(code)
    if code in _CHANNEL_CODES or reply.status in {401, 403, 404}:
        return ChannelFailure(code or f"status_{reply.status}")
    return PermanentFailure(code or f"status_{reply.status}")
