"""The registry of channel types. A new one is a file with a `build` function, and its name here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING

from chalicelib.ports import ChannelType
from chalicelib.providers.http import Http

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_sesv2 import SESV2Client

    from chalicelib.providers.base import Secrets
    from chalicelib.providers.end_user_messaging import MessagingClient
    from chalicelib.providers.push import SnsClient
    from chalicelib.providers.whatsapp_aws import SocialClient

CHANNEL_TYPES = ("console", "email", "push", "rcs", "sms", "webhook", "whatsapp")


@dataclass(frozen=True, slots=True)
class ProviderClients:
    """Clients and settings of the channel types. Clients make one attempt: a retry could send a message twice."""

    ses: SESV2Client
    messaging: MessagingClient
    social: SocialClient
    sns: SnsClient
    secrets: Secrets
    http: Http = field(default_factory=Http)
    #: Folder of the console's messages; None: not stored.
    outbox: Path | None = None
    #: Base URL of callbacks, without a slash at the end. Empty: callbacks are not requested.
    public_url: str = ""
    twilio_url: str = "https://api.twilio.com"
    meta_url: str = "https://graph.facebook.com"
    #: `host:port` of webhook receivers that may use http and private addresses.
    webhook_allowed: frozenset[str] = frozenset()


class ChannelTypes(Mapping[str, ChannelType]):
    """The channel types by name. Each is imported on first use, because a worker uses one or two of them."""

    def __init__(self, edges: ProviderClients) -> None:
        self._edges = edges
        self._built: dict[str, ChannelType] = {}
        self._building = Lock()

    def __getitem__(self, name: str) -> ChannelType:
        return self._built.get(name) or self._build(name)

    def __iter__(self) -> Iterator[str]:
        return iter(CHANNEL_TYPES)

    def __len__(self) -> int:
        return len(CHANNEL_TYPES)

    def __contains__(self, name: object) -> bool:
        return name in CHANNEL_TYPES

    def _build(self, name: str) -> ChannelType:
        if name not in CHANNEL_TYPES:
            raise KeyError(name)
        with self._building:  # Threads share a channel type and its caches, so it is built once.
            if name not in self._built:
                build: Callable[[ProviderClients], ChannelType] = import_module(f"chalicelib.providers.{name}").build
                self._built[name] = build(self._edges)
            return self._built[name]
