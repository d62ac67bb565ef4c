"""WhatsApp over Meta's Cloud API: requests, error codes and signed webhooks.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from chalicelib.errors import NotFound, RetryLater
from chalicelib.model.base import StrictModel
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    RecipientSuppressed,
    Throttled,
    TransientFailure,
)
from chalicelib.providers.base import BaseChannelType, SecretName, get_setting
from chalicelib.providers.event_model import LENIENT, LENIENT_LIST, ProviderEvent, Text
from chalicelib.providers.event_reader import read_json
from chalicelib.providers.http import Reply, Request, read_retry_after
from chalicelib.providers.secrets import get_secret, read_secret_fault
from chalicelib.providers.signatures import verify_meta
from chalicelib.providers.whatsapp_events import STOPPED_MARKETING, MetaWebhook, WhatsAppError, read_entry
from chalicelib.providers.whatsapp_message import build_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.channel import Channel
    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.ids import WorkspaceUid
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.base import Secrets
    from chalicelib.providers.http import Http

#: Rate limits of the app and of the business account.
_THROTTLES = frozenset({"4", "80007", "130429", "131048"})
#: Rate limit of one recipient: WhatsApp allows one message in 6 s.
_PAIR_THROTTLE = "131056"
PAIR_PAUSE = timedelta(seconds=6)
_UNPAID = "131042"
#: Error codes of token, rights, number or account, besides 200–299 and 133xxx.
_CHANNEL_CODES = frozenset({"0", "3", "10", "33", "190", "368", "131005", "131031", "131037", "131045"})
#: Template errors (132xxx) that are caused by the values of one contact: too long or malformed.
_VALUE_FAULTS = frozenset({"132005", "132018"})
_PASSING = frozenset({"1", "2", "131000", "131016", "131057", "133004"})


class MetaWhatsAppSettings(StrictModel):
    """Settings of a WhatsApp channel over Meta.

    The secret is a JSON object: `accessToken`, `appSecret`, which signs webhooks, and `verifyToken`.
    """

    provider: Literal["meta"]
    phone_number_id: Annotated[str, Field(pattern=r"^[0-9]{5,20}$")]
    secret_name: SecretName
    api_version: Annotated[str, Field(pattern=r"^v[0-9]{2}\.[0-9]$")] = "v23.0"


class _SentMessage(ProviderEvent):
    id: Text = ""


class _MetaResponse(ProviderEvent):
    """The response to a send: the id of the message, or an error."""

    messages: Annotated[tuple[_SentMessage, ...], LENIENT_LIST] = ()
    error: Annotated[WhatsAppError, LENIENT] = Field(default_factory=WhatsAppError)


class MetaWhatsApp(BaseChannelType):
    """Meta's Cloud API. It has no idempotency token, so a repeated send is a second message."""

    def __init__(self, http: Http, secrets: Secrets, base_url: str) -> None:
        self._http, self._secrets, self._base_url = http, secrets, base_url

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one request."""
        try:
            secret = get_secret(self._secrets, outgoing.uid.workspace, outgoing.channel)
        except (NotFound, RetryLater) as error:
            return read_secret_fault(error)
        reply = self._http.post(build_request(outgoing, secret, self._base_url))
        return read_answer(reply) if isinstance(reply, Reply) else reply

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of a webhook, which is a batch of entries."""
        return read_webhook(callback)

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """Check `X-Hub-Signature-256`. It has no timestamp, but a replayed report changes nothing."""
        secret = get_secret(self._secrets, workspace, channel).get("appSecret", "")
        return verify_meta(secret, callback.body, callback.headers.get("x-hub-signature-256", ""))

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """Answer the challenge that Meta sends when the webhook is registered."""
        return answer_challenge(get_secret(self._secrets, workspace, channel).get("verifyToken", ""), query)


def build_request(outgoing: OutgoingMessage, secret: Mapping[str, str], base_url: str) -> Request:
    """Build the JSON request with a bearer token."""
    version, number = get_setting(outgoing.channel, "apiVersion"), get_setting(outgoing.channel, "phoneNumberId")
    return Request(
        url=f"{base_url}/{version or 'v23.0'}/{number}/messages",
        headers={"Authorization": f"Bearer {secret.get('accessToken', '')}", "Content-Type": "application/json"},
        body=json.dumps(build_message(outgoing, outgoing.to)).encode(),
    )


def read_answer(reply: Reply) -> SendResult:
    """Return the send result of a response. Meta's error codes are more specific than the HTTP status."""
    response = _MetaResponse.read(read_json(reply.body))
    if reply.status == 200:
        wamid = response.messages[0].id if response.messages else ""
        return Accepted(wamid) if wamid else OutcomeUnknown("no_message_id")
    code = response.error.code
    if code in _THROTTLES or code == _PAIR_THROTTLE or reply.status == 429:
        pause = PAIR_PAUSE if code == _PAIR_THROTTLE else None
        return Throttled(read_retry_after(reply) or pause)
    if not 400 <= reply.status < 500:
        return OutcomeUnknown(code or f"status_{reply.status}")
    return _read_code(code, reply)


def _read_code(code: str, reply: Reply) -> SendResult:
    if code == STOPPED_MARKETING:
        return RecipientSuppressed(code)
    if code == _UNPAID:
        return AccountUnpaid(code)
    if code in _PASSING:
        return TransientFailure(code, read_retry_after(reply))
    if _is_channel_fault(code) or (not code and reply.status in {401, 403, 404}):
        return ChannelFailure(code or f"status_{reply.status}")
    return PermanentFailure(code or f"status_{reply.status}")


def _is_channel_fault(code: str) -> bool:
    is_template_fault = len(code) == 6 and code.startswith("132") and code not in _VALUE_FAULTS
    is_number_fault = len(code) == 6 and code.startswith("133")
    return code in _CHANNEL_CODES or is_template_fault or is_number_fault or (len(code) == 3 and code[0] == "2")


def read_webhook(callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
    """Return the reports of all entries. None for other webhooks."""
    webhook = MetaWebhook.read(read_json(callback.body))
    if webhook.kind != "whatsapp_business_account":
        return ()
    return tuple(report for entry in webhook.entry for report in read_entry(entry))


def answer_challenge(verify_token: str, query: Mapping[str, str]) -> str | None:
    """Return `hub.challenge` if the request holds the channel's verify token, else None."""
    received = query.get("hub.verify_token", "").encode(errors="replace")
    is_known = bool(verify_token) and hmac.compare_digest(received, verify_token.encode())
    return query.get("hub.challenge", "") if is_known and query.get("hub.mode") == "subscribe" else None
