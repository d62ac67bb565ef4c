"""SMS over AWS End User Messaging (`SendTextMessage`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from chalicelib.model.base import StrictModel
from chalicelib.providers.aws_errors import AWS_ERRORS, read_answer
from chalicelib.providers.base import BaseChannelType, get_setting
from chalicelib.providers.end_user_messaging import CONTEXT_KEY, message_class, read_error
from chalicelib.providers.end_user_messaging_events import read_inbound, read_status
from chalicelib.providers.event_reader import read_event

if TYPE_CHECKING:
    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.end_user_messaging import MessagingClient

Identity = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/+-]{1,256}$")]


class AwsSmsSettings(StrictModel):
    """Settings of an SMS channel over AWS. Without an identity AWS chooses one of the account."""

    provider: Literal["aws"]
    #: Name, id or ARN of a phone number, sender id or pool.
    origination_identity: Identity | None = None
    #: Configuration set that publishes delivery reports.
    configuration_set: Identity | None = None
    protect_configuration_id: Identity | None = None
    #: Highest price in USD per part. AWS refuses a message to a more expensive country.
    max_price: Annotated[str, Field(pattern=r"^[0-9]{0,2}\.[0-9]{1,5}$", min_length=2)] | None = None
    time_to_live_seconds: Annotated[int, Field(ge=5, le=259_200)] | None = None


class AwsSms(BaseChannelType):
    """AWS End User Messaging. It has no idempotency token, so a repeated send is a second message."""

    def __init__(self, client: MessagingClient) -> None:
        """The client must be built with one attempt, 3 s to connect and 10 s to read."""
        self._client = client

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one call."""
        try:
            return read_answer(self._client.send_text_message(**build_request(outgoing)))
        except AWS_ERRORS as error:
            return read_error(error)

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of a status event or an inbound text of SNS or EventBridge."""
        event = read_event(callback)
        return read_status(event, "TEXT_") or read_inbound(event)


def build_request(outgoing: OutgoingMessage) -> dict[str, object]:
    """Return the parameters of `SendTextMessage`. Unset ones are omitted."""
    channel = outgoing.channel
    optional = {
        "OriginationIdentity": get_setting(channel, "originationIdentity"),
        "ConfigurationSetName": get_setting(channel, "configurationSet"),
        "ProtectConfigurationId": get_setting(channel, "protectConfigurationId"),
        "MaxPrice": get_setting(channel, "maxPrice"),
        "TimeToLive": channel.settings.get("timeToLiveSeconds"),
    }
    return {
        "DestinationPhoneNumber": outgoing.to,
        "MessageBody": outgoing.content["text"],
        "MessageType": message_class(outgoing.message_type),
        "Context": {CONTEXT_KEY: str(outgoing.uid)},
        **{name: value for name, value in optional.items() if value},
    }
