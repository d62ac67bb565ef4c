"""A message on its way to a provider, and the provider's verdict on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from chalicelib.model.ids import MessageUid

if TYPE_CHECKING:
    # A channel's prices are by message type, so it imports this module.
    from chalicelib.model.channel import Channel


class MessageType(StrEnum):
    """Why we write: NEWSLETTER needs consent, MESSAGE is about something that the contact did, CONVERSATION answers."""

    MESSAGE = "MESSAGE"
    NEWSLETTER = "NEWSLETTER"
    CONVERSATION = "CONVERSATION"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A rendered message: `content` has the fields of the channel type's content model."""

    uid: MessageUid
    channel: "Channel"
    message_type: MessageType
    to: str
    content: Mapping[str, str]
    #: In units of `model/money`, by the channel's prices.
    cost: int = 0
    #: Where one click unsubscribes (RFC 8058); None where the message type needs no such link.
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not taken, too fast: waiting is not failing, no attempt is used."""

    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TransientFailure:
    """Not taken for sure, and may be taken later."""

    code: str
    after: timedelta | None = None
    #: The provider was never reached: no contact's fault, and the channel's circuit counts it.
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class PermanentFailure:
    """Not taken, and never will be."""

    code: str


@dataclass(frozen=True, slots=True)
class RecipientSuppressed:
    """Not taken, and this address is not to be written to again."""

    code: str


@dataclass(frozen=True, slots=True)
class ChannelFailure:
    """The provider refuses the channel itself (account, sender, credentials), not this recipient."""

    code: str


@dataclass(frozen=True, slots=True)
class AccountUnpaid:
    """The provider refuses because its account has no money left. `code` is the provider's code."""

    code: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Perhaps taken: the answer was lost."""

    why: str


#: What a channel type answers to one attempt to send.
SendResult = (
    Accepted
    | Throttled
    | TransientFailure
    | PermanentFailure
    | RecipientSuppressed
    | ChannelFailure
    | AccountUnpaid
    | OutcomeUnknown
)
