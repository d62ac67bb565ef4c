"""The channel types that exist; adding one is a file and its line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.channels._base import Secrets
from chalicelib.channels._http import Http
from chalicelib.channels._sms_aws import AwsSms
from chalicelib.channels._sms_twilio import TwilioSms
from chalicelib.channels._whatsapp_aws import AwsWhatsApp
from chalicelib.channels._whatsapp_meta import MetaWhatsApp
from chalicelib.channels.console import Console
from chalicelib.channels.email import Email
from chalicelib.channels.push import Push
from chalicelib.channels.rcs import Rcs
from chalicelib.channels.sms import Sms
from chalicelib.channels.webhook import Webhook
from chalicelib.channels.whatsapp import WhatsApp
from chalicelib.ports import ChannelType

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_sesv2 import SESV2Client

    from chalicelib.channels._end_user_messaging import MessagingClient
    from chalicelib.channels._whatsapp_aws import SocialClient
    from chalicelib.channels.push import SnsClient


@dataclass(frozen=True, slots=True)
class Edges:
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


def _sms(edges: Edges) -> Sms:
    twilio = TwilioSms(edges.http, edges.secrets, edges.twilio_url, edges.public_url)
    return Sms({"aws": AwsSms(edges.messaging), "twilio": twilio})


def _whatsapp(edges: Edges) -> WhatsApp:
    meta = MetaWhatsApp(edges.http, edges.secrets, edges.meta_url)
    return WhatsApp({"aws": AwsWhatsApp(edges.social), "meta": meta})


CHANNEL_TYPES: Mapping[str, Callable[[Edges], ChannelType]] = {
    "console": lambda edges: Console(edges.outbox),
    "email": lambda edges: Email(edges.ses),
    "push": lambda edges: Push(edges.sns),
    "rcs": lambda edges: Rcs(edges.messaging),
    "sms": _sms,
    "webhook": lambda edges: Webhook(edges.http, edges.secrets, edges.webhook_allowed),
    "whatsapp": _whatsapp,
}


def build_channel_types(edges: Edges) -> dict[str, ChannelType]:
    """One of each, by name."""
    return {name: build(edges) for name, build in CHANNEL_TYPES.items()}
