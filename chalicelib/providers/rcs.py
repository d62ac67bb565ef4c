"""RCS by AWS End User Messaging (`SendRcsMessage`), with the provider's fallback to SMS or with ours, never both.

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
    """How an RCS channel sends, and who writes an SMS instead where RCS does not arrive."""

    provider: Literal["aws"] = "aws"
    #: An RCS agent or a pool, by id or ARN.
    origination_identity: Identity
    configuration_set: Identity | None = None
    protect_configuration_id: Identity | None = None
    max_price: Annotated[str, Field(pattern=r"^[0-9]{0,2}\.[0-9]{1,5}$", min_length=2)] | None = None
    #: A message that has not arrived by then is taken back, so that a fallback does not make two of it.
    time_to_live_seconds: Annotated[int, Field(ge=1, le=172_800)] | None = None
    #: `provider`: AWS sends the SMS, and a fallback of the SEND step is not tried. `none`: the step's, if it has one.
    fallback: Literal["none", "provider"] = "none"
    #: A number or sender id; without one AWS chooses from the pool.
    fallback_identity: Identity | None = None


class RcsContent(StrictModel):
    """What an RCS template is made of; AWS takes 3,072 characters, and 1,600 of the SMS instead."""

    text: Annotated[str, Field(min_length=1)]
    #: The SMS that the provider sends instead; the same text when it is not given.
    fallback_text: Annotated[str, Field(min_length=1)] | None = None


class Rcs(BaseChannelType):
    """There is no token by which AWS would drop a second message."""

    name: str = "rcs"
    #: AWS does not tell a device without RCS from one that is off; an SMS instead serves both.
    unreachable_codes: frozenset[str] = frozenset({"RCS_UNREACHABLE", "RCS_CARRIER_UNREACHABLE"})
    settings: type[BaseModel] = RcsSettings
    content: type[BaseModel] = RcsContent

    def __init__(self, client: MessagingClient) -> None:
        """The client must be built with one attempt, 3 s to connect and 10 s to read."""
        self._client = client

    def address_of(self, contact: Contact) -> str | None:
        """The contact's phone, E.164."""
        return contact.phone

    def falls_back(self, channel: Channel) -> bool:
        """As the channel says."""
        return get_setting(channel, "fallback") == "provider"

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """One call, if the SDK has it: Lambda's own may be older than RCS."""
        call = getattr(self._client, "send_rcs_message", None)
        if call is None:
            return ChannelFailure("sdk_without_rcs")
        try:
            return read_answer(call(**build_request(outgoing)))
        except AWS_ERRORS as error:
            return read_error(error)

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Statuses, as SNS or EventBridge bring them; those of an SMS instead are read by `sms`."""
        return read_status(read_event(callback), "RCS_")


def build(edges: ProviderClients) -> Rcs:
    """By AWS alone."""
    return Rcs(edges.messaging)


def build_request(outgoing: OutgoingMessage) -> dict[str, object]:
    """The parameters of `SendRcsMessage`; what is not set is left out."""
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
