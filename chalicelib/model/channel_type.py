"""A channel type: the port behind which the use cases see one way of reaching people; `ports` lists it."""

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
    """What is particular to one way of reaching people."""

    name: str
    #: Model of `Channel.settings`.
    settings: type[BaseModel]
    #: Model of a template's content: text fields, each a template source.
    content: type[BaseModel]
    #: Whether the provider drops a second message with the same token: a lost answer is then tried again.
    deduplicates: bool
    #: Codes of refusals and failures which prove that the medium does not reach the address: no device, no account.
    incapable: frozenset[str]
    #: Longest that one send may take (connect + read).
    timeout: timedelta

    def address_of(self, contact: Contact) -> str | None:
        """Where this contact is reached, None when nowhere."""

    def allowance(self) -> RateLimits:
        """What the provider's account allows, some minutes old at most. Raises nothing."""

    def parts_of(self, content: Mapping[str, str]) -> int:
        """How many messages the provider makes of this rendered content, each of which is paid for."""

    def send(self, letter: OutgoingMessage) -> SendResult:
        """Calls the provider once. Never raises for what the provider says."""

    def falls_back(self, channel: Channel) -> bool:
        """Whether the provider itself tries another way when this one fails: ours must then be off."""

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """What a provider's event says of messages; empty when it is none of this type's. Raises nothing."""

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """Whether the channel's provider has signed the callback. NotFound when the channel's secret is not there."""

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """What proves to the provider that the callback's URL is ours; None for a wrong question. NotFound as above."""
