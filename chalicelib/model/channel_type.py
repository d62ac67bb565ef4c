"""The port of channel types: everything that differs between ways of reaching contacts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from pydantic import BaseModel

from chalicelib.model.channel import Channel, RateLimits
from chalicelib.model.contact import Contact
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import OutgoingMessage, SendResult


class ChannelType(Protocol):
    """One way of reaching contacts, such as e-mail by SES."""

    name: str
    #: Model of `Channel.settings`.
    settings: type[BaseModel]
    #: Model of a template's content: text fields, each a template source.
    content: type[BaseModel]
    #: Whether the provider drops a second message with the same token. If so, a send is retried after a lost response.
    deduplicates: bool
    #: Provider codes for an address that the channel cannot reach, for example because it has no device or account.
    unreachable_codes: frozenset[str]
    #: Longest duration of one send (connect and read).
    timeout: timedelta

    def address_of(self, contact: Contact) -> str | None:
        """Return the address at which this channel reaches the contact, or None."""

    def account_limits(self) -> RateLimits:
        """Return the limits of the provider account, at most a few minutes old. Raises nothing."""

    def parts_of(self, content: Mapping[str, str]) -> int:
        """Return the number of parts of the rendered content. The provider sends and charges each part."""

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Call the provider once. Errors of the provider are returned as a send result, never raised."""

    def falls_back(self, channel: Channel) -> bool:
        """Report whether the provider itself falls back to another channel.

        If so, Carillon's own fallback must be off.
        """

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return what a provider event reports about messages; empty if the event is of another channel type.

        Raises nothing.
        """

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """Report whether the channel's provider has signed the callback.

        NotFound if the channel's secret is missing.
        """

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """Return the response that proves to the provider that the callback URL is ours; None for an invalid challenge.

        NotFound if the channel's secret is missing.
        """
