"""WhatsApp over AWS End User Messaging Social (`SendWhatsAppMessage`).

https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destination-dlrs.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import Field

from chalicelib.model.base import StrictModel
from chalicelib.providers.aws_errors import AWS_ERRORS, read_answer, read_failure
from chalicelib.providers.base import BaseChannelType, get_setting
from chalicelib.providers.event_reader import read_event, read_json
from chalicelib.providers.whatsapp_events import SocialMessagingEvent, WhatsAppEntry, read_entry
from chalicelib.providers.whatsapp_message import build_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.aws_errors import AwsError


class SocialClient(Protocol):
    """The used call of the client for "socialmessaging". Its type stubs are not installed."""

    def send_whatsapp_message(self, **request: object) -> Mapping[str, object]:
        """Call SendWhatsAppMessage."""


class AwsWhatsAppSettings(StrictModel):
    """Settings of a WhatsApp channel over AWS."""

    provider: Literal["aws"]
    #: `phone-number-id-…` or its ARN.
    phone_number_id: Annotated[
        str, Field(max_length=115, pattern=r"^(phone-number-id-[0-9a-zA-Z]+|arn:[^\s]*:phone-number-id/[0-9a-zA-Z]+)$")
    ]
    api_version: Annotated[str, Field(pattern=r"^v[0-9]{2}\.[0-9]$")] = "v20.0"


class AwsWhatsApp(BaseChannelType):
    """AWS End User Messaging Social. It has no idempotency token, so a repeated send is a second message."""

    def __init__(self, client: SocialClient) -> None:
        """The client must be built with one attempt, 3 s to connect and 10 s to read."""
        self._client = client

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one call."""
        try:
            return read_answer(self._client.send_whatsapp_message(**build_request(outgoing)), "messageId")
        except AWS_ERRORS as error:
            return read_error(error)

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of an SNS event, which holds Meta's entry as a text."""
        event = SocialMessagingEvent.read(read_event(callback))
        return read_entry(WhatsAppEntry.read(read_json(event.entry)))


def build_request(outgoing: OutgoingMessage) -> dict[str, object]:
    """Return the parameters of `SendWhatsAppMessage`."""
    return {
        "originationPhoneNumberId": get_setting(outgoing.channel, "phoneNumberId"),
        "metaApiVersion": get_setting(outgoing.channel, "apiVersion") or "v20.0",
        "message": json.dumps(build_message(outgoing, outgoing.to)).encode(),
    }


def read_error(error: AwsError) -> SendResult:
    """Return the send result of a failed call. The service has no error codes of its own."""
    return read_failure(error, lambda _: None)
