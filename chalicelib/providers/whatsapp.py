"""WhatsApp, by AWS End User Messaging Social or by Meta's Cloud API."""

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
    """Those of the provider that `provider` names: `aws` or `meta`."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"type": "object"}, defer_build=True)


class WhatsApp(ProviderDispatch):
    """A template that WhatsApp approved, or a text while a conversation is open."""

    name: str = "whatsapp"
    #: Undeliverable: as a rule because nobody uses WhatsApp by this number.
    unreachable_codes: frozenset[str] = frozenset({"131026"})
    settings: type[BaseModel] = WhatsAppSettings
    content: type[BaseModel] = WhatsAppContent

    def address_of(self, contact: Contact) -> str | None:
        """The contact's phone, E.164."""
        return contact.phone


def build(edges: ProviderClients) -> WhatsApp:
    """With both providers."""
    meta = MetaWhatsApp(edges.http, edges.secrets, edges.meta_url)
    return WhatsApp({"aws": AwsWhatsApp(edges.social), "meta": meta})
