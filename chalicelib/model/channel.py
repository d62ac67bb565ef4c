"""Channels: a way to reach contacts, bound to a provider by its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from chalicelib.model.base import StoredDocument, StrictModel
from chalicelib.model.message import MessageType
from chalicelib.model.money import Amount, read_money


class Approval(StrEnum):
    """Approval of the channel by its provider."""

    APPROVED = "approved"
    PENDING = "pending"
    BLOCKED = "blocked"


class LostResponsePolicy(StrEnum):
    """Handling of a message after its provider response was lost: keep it as `unknown`, or retry and risk a
    duplicate.
    """

    HOLD = "hold"
    RESEND = "resend"


#: Every country has a calling code, and some have several.
MAX_PREFIXES = 300
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,6}$")]
Prices = Mapping[Annotated[MessageType, Field(strict=False)], Amount]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The sending limits of a channel; None means no limit."""

    per_second: float | None = None
    per_day: int | None = None


class ChannelFields(StrictModel):
    """Fields of a channel that a caller can set. `settings` follow the channel type (`GET /v1/channel-types`)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the channel, 1 to 200 characters."""
    type: str
    """Channel type, for example `email`. It cannot change."""
    settings: Mapping[str, JsonValue] = {}
    """Settings of the channel type, see `GET /v1/channel-types`."""
    approval: Approval = Approval.APPROVED
    """Approval by the provider. Only an approved channel sends. Default `approved`."""
    active: bool = True
    """Whether the channel sends; default true."""
    lost_answer: LostResponsePolicy = LostResponsePolicy.HOLD
    """After a lost response of the provider: `hold` keeps the message as unknown, `resend` sends it again and risks
    a duplicate. Default `hold`."""
    reports_receipts: bool = False
    """Whether the provider reports deliveries. Without reports a flow does not wait for them. Default false."""
    track_opens: bool = False
    """Whether a pixel in HTML messages counts opens; default false. Not needed if the provider reports opens."""
    track_clicks: bool = False
    """Whether links in HTML messages count clicks; default false. Not needed if the provider reports clicks."""
    rate_per_second: Annotated[float, Field(ge=0.01, le=10_000)] | None = None
    """Largest number of messages per second over all workers, 0.01 to 10,000; null uses the limit of the provider's
    account."""
    daily_cap: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Largest number of messages per day (UTC), 1 to 1,000,000,000; null uses the limit of the provider's account."""
    prices: Prices = {}
    """Price of a message, or of each part of an SMS, by message type, in the workspace's currency. A message without a
    price is free."""
    prices_by_prefix: Annotated[Mapping[Prefix, Prices], Field(max_length=MAX_PREFIXES)] = {}
    """Prices by prefix of the phone number, for example `+49`. The longest matching prefix applies. A message type that
    it does not list uses a shorter prefix, then `prices`."""

    def limits(self, account: RateLimits) -> RateLimits:
        """Return the channel's own limits, completed by those of the provider account."""
        return RateLimits(self.rate_per_second or account.per_second, self.daily_cap or account.per_day)

    def price_of(self, message_type: MessageType, address: str) -> int:
        """Return the price of one part of a message to this address, in units of `model/money`."""
        fitting = sorted((prefix for prefix in self.prices_by_prefix if address.startswith(prefix)), key=len)
        tables = [*(self.prices_by_prefix[prefix] for prefix in reversed(fitting)), self.prices]
        return next((read_money(table[message_type]) for table in tables if message_type in table), 0)


class Channel(ChannelFields, StoredDocument):
    """A stored channel."""

    kind: ClassVar[str] = "CHANNEL"

    def filter_attributes(self) -> Mapping[str, str]:
        return {"type": self.type}

    @property
    def is_active(self) -> bool:
        """Always true. An inbound message may name neither workspace nor channel, so its sender is searched in all
        channels.
        """
        return True
