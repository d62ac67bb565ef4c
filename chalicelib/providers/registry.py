"""The channel types that exist; adding one is a file, with its `build`, and its name here."""

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
    """How channel types reach the world. Clients make one attempt: a lost answer must not become a second send."""

    ses: SESV2Client
    messaging: MessagingClient
    social: SocialClient
    sns: SnsClient
    secrets: Secrets
    http: Http = field(default_factory=Http)
    #: Where the console keeps its messages; None keeps none.
    outbox: Path | None = None
    #: Where callbacks come in, without a slash at the end; empty asks for none.
    public_url: str = ""
    twilio_url: str = "https://api.twilio.com"
    meta_url: str = "https://graph.facebook.com"
    #: `host:port` of webhook receivers that need be neither https nor public.
    webhook_allowed: frozenset[str] = frozenset()


class ChannelTypes(Mapping[str, ChannelType]):
    """One of each, by name. Its module is imported when it is first asked for: a worker sends by one or two of them."""

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
        with self._building:  # Threads send side by side; what a channel type remembers is to be there once.
            if name not in self._built:
                build: Callable[[ProviderClients], ChannelType] = import_module(f"chalicelib.providers.{name}").build
                self._built[name] = build(self._edges)
            return self._built[name]
