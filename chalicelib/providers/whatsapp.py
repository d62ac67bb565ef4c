"""WhatsApp over AWS End User Messaging Social or Meta's Cloud API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from chalicelib.providers.base import ProviderDispatch
from chalicelib.providers.whatsapp_aws import AwsWhatsApp, AwsWhatsAppSettings
from chalicelib.providers.whatsapp_message import WhatsAppContent
from chalicelib.providers.whatsapp_meta import MetaWhatsApp, MetaWhatsAppSettings

if TYPE_CHECKING:
    from chalicelib.model.contact import Contact
    from chalicelib.providers.registry import ProviderClients


class WhatsAppSettings(
    RootModel[Annotated[AwsWhatsAppSettings | MetaWhatsAppSettings, Field(discriminator="provider")]]
):
    """Settings of a WhatsApp channel. `provider` is `aws` or `meta` and decides the other fields."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"type": "object"}, defer_build=True)


class WhatsApp(ProviderDispatch):
    """The WhatsApp channel type: approved templates, or texts while a conversation is open."""

    name: str = "whatsapp"
    #: Code for undeliverable messages. Usually the number is not registered with WhatsApp.
    unreachable_codes: frozenset[str] = frozenset({"131026"})
    settings: type[BaseModel] = WhatsAppSettings
    content: type[BaseModel] = WhatsAppContent

    def address_of(self, contact: Contact) -> str | None:
        """Return the contact's phone number in E.164."""
        return contact.phone


def build(edges: ProviderClients) -> WhatsApp:
    """Build the channel type with both providers."""
    meta = MetaWhatsApp(edges.http, edges.secrets, edges.meta_url)
    return WhatsApp({"aws": AwsWhatsApp(edges.social), "meta": meta})
