"""RCS over AWS End User Messaging (`SendRcsMessage`). The fallback to SMS is the provider's or the step's, never both.

https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-fallback-per-message.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from chalicelib.model.base import StrictModel
from chalicelib.model.message import ChannelFailure
from chalicelib.providers.aws_errors import AWS_ERRORS, read_answer
from chalicelib.providers.base import BaseChannelType, get_setting
from chalicelib.providers.end_user_messaging import CONTEXT_KEY, read_error
from chalicelib.providers.end_user_messaging_events import read_status
from chalicelib.providers.event_reader import read_event
from chalicelib.providers.sms_aws import Identity

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chalicelib.model.channel import Channel
    from chalicelib.model.contact import Contact
    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.message import OutgoingMessage, SendResult
    from chalicelib.providers.end_user_messaging import MessagingClient
    from chalicelib.providers.registry import ProviderClients


class RcsSettings(StrictModel):
    """Settings of an RCS channel, and the fallback to SMS when RCS does not arrive."""

    provider: Literal["aws"] = "aws"
    #: Id or ARN of an RCS agent or a pool.
    origination_identity: Identity
    configuration_set: Identity | None = None
    protect_configuration_id: Identity | None = None
    max_price: Annotated[str, Field(pattern=r"^[0-9]{0,2}\.[0-9]{1,5}$", min_length=2)] | None = None
    #: A message that has not arrived by then is revoked, so that a fallback does not send it twice.
    time_to_live_seconds: Annotated[int, Field(ge=1, le=172_800)] | None = None
    #: `provider`: AWS sends the SMS, and the fallback of the step is not used. `none`: the step's fallback is used.
    fallback: Literal["none", "provider"] = "none"
    #: Number or sender id of the SMS. Without one AWS chooses from the pool.
    fallback_identity: Identity | None = None


class RcsContent(StrictModel):
    """Content of an RCS template: at most 3,072 characters, and 1,600 for the SMS."""

    text: Annotated[str, Field(min_length=1)]
    #: Text of the fallback SMS. Without it the RCS text is used.
    fallback_text: Annotated[str, Field(min_length=1)] | None = None


class Rcs(BaseChannelType):
    """AWS End User Messaging. It has no idempotency token, so a repeated send is a second message."""

    name: str = "rcs"
    #: AWS does not distinguish a device without RCS from one that is off. The fallback SMS serves both.
    unreachable_codes: frozenset[str] = frozenset({"RCS_UNREACHABLE", "RCS_CARRIER_UNREACHABLE"})
    settings: type[BaseModel] = RcsSettings
    content: type[BaseModel] = RcsContent

    def __init__(self, client: MessagingClient) -> None:
        """The client must be built with one attempt, 3 s to connect and 10 s to read."""
        self._client = client

    def address_of(self, contact: Contact) -> str | None:
        """Return the contact's phone number in E.164."""
        return contact.phone

    def falls_back(self, channel: Channel) -> bool:
        """Report whether the channel uses the provider's fallback."""
        return get_setting(channel, "fallback") == "provider"

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send with one call, if the SDK supports RCS. The SDK of the Lambda runtime may be older."""
        call = getattr(self._client, "send_rcs_message", None)
        if call is None:
            return ChannelFailure("sdk_without_rcs")
        try:
            return read_answer(call(**build_request(outgoing)))
        except AWS_ERRORS as error:
            return read_error(error)

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the reports of a status event of SNS or EventBridge. `sms` reads those of the fallback SMS."""
        return read_status(read_event(callback), "RCS_")


def build(edges: ProviderClients) -> Rcs:
    """Build the channel type."""
    return Rcs(edges.messaging)


def build_request(outgoing: OutgoingMessage) -> dict[str, object]:
    """Return the parameters of `SendRcsMessage`. Unset ones are omitted."""
    channel = outgoing.channel
    optional: dict[str, object] = {
        "ConfigurationSetName": get_setting(channel, "configurationSet"),
        "ProtectConfigurationId": get_setting(channel, "protectConfigurationId"),
        "MaxPrice": get_setting(channel, "maxPrice"),
        "TimeToLive": channel.settings.get("timeToLiveSeconds"),
        "FallbackConfiguration": _fallback(outgoing),
    }
    return {
        "DestinationPhoneNumber": outgoing.to,
        "OriginationIdentity": get_setting(channel, "originationIdentity"),
        "RcsMessageContent": {"Content": {"TextMessage": {"Body": outgoing.content["text"]}}},
        "Context": {CONTEXT_KEY: str(outgoing.uid)},
        **{name: value for name, value in optional.items() if value},
    }


def _fallback(outgoing: OutgoingMessage) -> dict[str, str]:
    if get_setting(outgoing.channel, "fallback") != "provider":
        return {}
    body = outgoing.content.get("fallbackText") or outgoing.content["text"]
    identity = get_setting(outgoing.channel, "fallbackIdentity")
    return {"Channel": "SMS", "MessageBody": body, **({"OriginationIdentity": identity} if identity else {})}
