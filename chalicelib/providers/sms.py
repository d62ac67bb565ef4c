"""SMS, by AWS End User Messaging or by Twilio."""

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
    """Those of the provider that `provider` names: `aws` or `twilio`."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"type": "object"}, defer_build=True)


class SmsContent(StrictModel):
    """What an SMS template is made of. Providers cut at 1,600 characters; `sms_segments` counts the parts."""

    text: Annotated[str, Field(min_length=1)]


class Sms(ProviderDispatch):
    """A text to a phone."""

    name: str = "sms"
    #: Twilio: no mobile number, a landline.
    unreachable_codes: frozenset[str] = frozenset({"21614", "30006"})
    settings: type[BaseModel] = SmsSettings
    content: type[BaseModel] = SmsContent

    def address_of(self, contact: Contact) -> str | None:
        """The contact's phone, E.164."""
        return contact.phone

    def parts_of(self, content: Mapping[str, str]) -> int:
        """As many SMS as the text takes."""
        return count_segments(content["text"]).segments


def build(edges: ProviderClients) -> Sms:
    """With both providers."""
    twilio = TwilioSms(edges.http, edges.secrets, edges.twilio_url, edges.public_url)
    return Sms({"aws": AwsSms(edges.messaging), "twilio": twilio})
