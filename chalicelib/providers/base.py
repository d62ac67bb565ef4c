"""Base classes of channel types: default methods, and the choice of a provider by the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field

from chalicelib.model.channel import RateLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.model.channel import Channel
    from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
    from chalicelib.model.ids import WorkspaceUid
    from chalicelib.model.message import OutgoingMessage, SendResult

#: Longest duration of one send: 3 s to connect and 10 s to read.
TIMEOUT = timedelta(seconds=13)
#: Name of a secret in the workspace's folder. Slashes are not allowed, so it cannot name a secret elsewhere.
SecretName = Annotated[str, Field(pattern=r"^(ssm:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class Secrets(Protocol):
    """Secrets that channels name in their settings."""

    def __call__(self, workspace: WorkspaceUid, name: str) -> str:
        """Return the text of the secret, at most 5 minutes old. Raises NotFound and RetryLater."""


class BaseChannelType:
    """A channel type without provider events. Other channel types override the methods that differ."""

    deduplicates: bool = False
    unreachable_codes: frozenset[str] = frozenset()
    timeout: timedelta = TIMEOUT

    def account_limits(self) -> RateLimits:
        """Return no limits: the provider does not report any."""
        return RateLimits()

    def parts_of(self, content: Mapping[str, str]) -> int:  # noqa: ARG002  an answer for all contents
        """Return 1, because a message has one part."""
        return 1

    def falls_back(self, channel: Channel) -> bool:  # noqa: ARG002  an answer for all channels
        """Return False: the provider tries no other way."""
        return False

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:  # noqa: ARG002  as above
        """Return no reports."""
        return ()

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:  # noqa: ARG002  as above
        """Return False: the channel type has no signed callbacks."""
        return False

    def answer_challenge(
        self,
        workspace: WorkspaceUid,  # noqa: ARG002  as above
        channel: Channel,  # noqa: ARG002  as above
        query: Mapping[str, str],  # noqa: ARG002  as above
    ) -> str | None:
        """Return None: the provider sends no challenge."""
        return None


class Provider(Protocol):
    """One of several providers of a channel type. Methods have the meaning of those of `ports.ChannelType`."""

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send the message with one call."""

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Return the delivery reports of an event of this provider."""

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """Report whether the signature of the callback is valid."""

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """Return the response to the provider's challenge, or None if it does not hold the channel's secret."""


class ProviderDispatch(BaseChannelType):
    """A channel type with several providers. `settings.provider` names the one of a channel."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """Send over the channel's provider."""
        return self._provider(outgoing.channel).send(outgoing)

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Try each provider: every event belongs to exactly one of them."""
        return next((found for each in self._providers.values() if (found := each.read_events(callback))), ())

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """Ask the channel's provider whether the callback is genuine."""
        return self._provider(channel).is_genuine(workspace, channel, callback)

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """Let the channel's provider answer its challenge."""
        return self._provider(channel).answer_challenge(workspace, channel, query)

    def _provider(self, channel: Channel) -> Provider:
        return self._providers[str(channel.settings["provider"])]


def get_setting(channel: Channel, name: str) -> str:
    """Return a setting by its camelCase name. Empty if it is not set."""
    value = channel.settings.get(name)
    return "" if value is None else str(value)
