"""What channel types share: the answers that most of them give, and the choice of a provider by the settings."""

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

#: 3 s to connect and 10 s to read.
TIMEOUT = timedelta(seconds=13)
#: The name of a secret in the workspace's own folder: without slashes, so that it cannot lead out of it.
SecretName = Annotated[str, Field(pattern=r"^(ssm:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class Secrets(Protocol):
    """Secrets that channels name in their settings."""

    def __call__(self, workspace: WorkspaceUid, name: str) -> str:
        """The secret's text, at most five minutes old. NotFound when this workspace has none, RetryLater."""


class BaseChannelType:
    """A channel type without provider events; others override what is different with them."""

    deduplicates: bool = False
    unreachable_codes: frozenset[str] = frozenset()
    timeout: timedelta = TIMEOUT

    def account_limits(self) -> RateLimits:
        """Whatever it is, nobody tells."""
        return RateLimits()

    def parts_of(self, content: Mapping[str, str]) -> int:  # noqa: ARG002  an answer for all contents
        """One."""
        return 1

    def falls_back(self, channel: Channel) -> bool:  # noqa: ARG002  an answer for all channels
        """No other way is tried by the provider."""
        return False

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:  # noqa: ARG002  as above
        """There are none."""
        return ()

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:  # noqa: ARG002  as above
        """Nobody signs callbacks for it."""
        return False

    def answer_challenge(
        self,
        workspace: WorkspaceUid,  # noqa: ARG002  as above
        channel: Channel,  # noqa: ARG002  as above
        query: Mapping[str, str],  # noqa: ARG002  as above
    ) -> str | None:
        """Nobody asks."""
        return None


class Provider(Protocol):
    """One of several that carry the same medium; methods mean what they mean in `ports.ChannelType`."""

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """One call."""

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Reports of this provider's messages."""

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """By its signature."""

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """By its secret."""


class ProviderDispatch(BaseChannelType):
    """A medium that several providers carry; `settings.provider` names the one of a channel."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    def send(self, outgoing: OutgoingMessage) -> SendResult:
        """By the channel's provider."""
        return self._provider(outgoing.channel).send(outgoing)

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """An event says itself whose it is."""
        return next((found for each in self._providers.values() if (found := each.read_events(callback))), ())

    def is_genuine(self, workspace: WorkspaceUid, channel: Channel, callback: ProviderCallback) -> bool:
        """By the channel's provider."""
        return self._provider(channel).is_genuine(workspace, channel, callback)

    def answer_challenge(self, workspace: WorkspaceUid, channel: Channel, query: Mapping[str, str]) -> str | None:
        """By the channel's provider."""
        return self._provider(channel).answer_challenge(workspace, channel, query)

    def _provider(self, channel: Channel) -> Provider:
        return self._providers[str(channel.settings["provider"])]


def get_setting(channel: Channel, name: str) -> str:
    """A setting by its camelCase name, empty when it is not set."""
    value = channel.settings.get(name)
    return "" if value is None else str(value)
