"""SMS over AWS End User Messaging or Twilio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from chalicelib.core.templates.sms_segments import count_segments
from chalicelib.model.base import StrictModel
from chalicelib.providers.base import ProviderDispatch
from chalicelib.providers.sms_aws import AwsSms, AwsSmsSettings
from chalicelib.providers.sms_twilio import TwilioSms, TwilioSmsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.contact import Contact
    from chalicelib.providers.registry import ProviderClients


class SmsSettings(RootModel[Annotated[AwsSmsSettings | TwilioSmsSettings, Field(discriminator="provider")]]):
    """Settings of an SMS channel. `provider` is `aws` or `twilio` and decides the other fields."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"type": "object"}, defer_build=True)


class SmsContent(StrictModel):
    """Content of an SMS template. Providers accept 1,600 characters; `sms_segments` counts the parts."""

    text: Annotated[str, Field(min_length=1)]


class Sms(ProviderDispatch):
    """The SMS channel type."""

    name: str = "sms"
    #: Codes of Twilio for a number that cannot receive SMS, such as a landline.
    unreachable_codes: frozenset[str] = frozenset({"21614", "30006"})
    settings: type[BaseModel] = SmsSettings
    content: type[BaseModel] = SmsContent

    def address_of(self, contact: Contact) -> str | None:
        """Return the contact's phone number in E.164."""
        return contact.phone

    def parts_of(self, content: Mapping[str, str]) -> int:
        """Return the number of SMS that the text needs."""
        return count_segments(content["text"]).segments


def build(edges: ProviderClients) -> Sms:
    """Build the channel type with both providers."""
    twilio = TwilioSms(edges.http, edges.secrets, edges.twilio_url, edges.public_url)
    return Sms({"aws": AwsSms(edges.messaging), "twilio": twilio})
