"""A channel: a way to reach people, bound to a provider by its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from chalicelib.model.base import StoredDocument, StrictModel
from chalicelib.model.message import MessageType
from chalicelib.model.money import Amount, read_money


class Approval(StrEnum):
    """Whether the provider lets us use it."""

    APPROVED = "approved"
    PENDING = "pending"
    BLOCKED = "blocked"


class LostResponsePolicy(StrEnum):
    """What to do with a send whose answer was lost: leave it `unknown`, or risk a second one."""

    HOLD = "hold"
    RESEND = "resend"


#: Every country has a calling code, some have several.
MAX_PREFIXES = 300
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,6}$")]
Prices = Mapping[Annotated[MessageType, Field(strict=False)], Amount]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much a channel may send; None is without a limit."""

    per_second: float | None = None
    per_day: int | None = None


class ChannelFields(StrictModel):
    """What a caller may set. Settings are those of its type's model (`GET /v1/channel-types`)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    type: str
    settings: Mapping[str, JsonValue] = {}
    approval: Approval = Approval.APPROVED
    active: bool = True
    lost_answer: LostResponsePolicy = LostResponsePolicy.HOLD
    #: Whether delivery receipts come back; without them a flow does not wait for any.
    reports_receipts: bool = False
    #: Whether HTML messages are rewritten so that we learn of opens and clicks; providers that tell need neither.
    track_opens: bool = False
    track_clicks: bool = False
    #: How fast it sends, all workers together, and how much on a day (UTC); without them as the provider's account
    #: says, where it says something.
    rate_per_second: Annotated[float, Field(ge=0.01, le=10_000)] | None = None
    daily_cap: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    #: What a message costs, in the workspace's currency; an SMS each of its parts. Without a price it costs nothing.
    prices: Prices = {}
    #: The same for phones of a country: `+49`. The longest that fits counts, and what it does not name costs as above.
    prices_by_prefix: Annotated[Mapping[Prefix, Prices], Field(max_length=MAX_PREFIXES)] = {}

    def limits(self, account: RateLimits) -> RateLimits:
        """Its own limits, and where it has none those of its provider's account."""
        return RateLimits(self.rate_per_second or account.per_second, self.daily_cap or account.per_day)

    def price_of(self, message_type: MessageType, address: str) -> int:
        """Units of `model/money` for one part of a message to this address."""
        fitting = sorted((prefix for prefix in self.prices_by_prefix if address.startswith(prefix)), key=len)
        tables = [*(self.prices_by_prefix[prefix] for prefix in reversed(fitting)), self.prices]
        return next((read_money(table[message_type]) for table in tables if message_type in table), 0)


class Channel(ChannelFields, StoredDocument):
    """A saved channel."""

    kind: ClassVar[str] = "CHANNEL"

    def marks(self) -> Mapping[str, str]:
        return {"type": self.type}

    @property
    def is_active(self) -> bool:
        """Answers may come that name neither workspace nor channel: then all channels are looked through."""
        return True
