"""Messages on their way to a provider, and the results of a send."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from chalicelib.model.ids import MessageUid

if TYPE_CHECKING:
    # Imported for types only, because channel prices depend on the message type and `channel` imports this module.
    from chalicelib.model.channel import Channel


class MessageType(StrEnum):
    """Purpose of a message. NEWSLETTER requires consent; MESSAGE follows an action of the contact; CONVERSATION is a
    reply.
    """

    MESSAGE = "MESSAGE"
    NEWSLETTER = "NEWSLETTER"
    CONVERSATION = "CONVERSATION"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A rendered message. `content` has the fields of the channel type's content model."""

    uid: MessageUid
    channel: "Channel"
    message_type: MessageType
    to: str
    content: Mapping[str, str]
    #: In units of `model/money`, by the channel's prices.
    cost: int = 0
    #: One-click unsubscribe URL (RFC 8058); None if the message type needs none.
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the message."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not sent, because of a rate limit of the provider. Waiting is not a failure: no attempt is used."""

    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TransientFailure:
    """Certainly not sent; a retry may succeed."""

    code: str
    after: timedelta | None = None
    #: The provider was not reached. The contact is not the cause, so the channel's circuit breaker counts it.
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class PermanentFailure:
    """Not sent; a retry cannot succeed."""

    code: str


@dataclass(frozen=True, slots=True)
class RecipientSuppressed:
    """Not sent; this address must not receive messages again."""

    code: str


@dataclass(frozen=True, slots=True)
class ChannelFailure:
    """The provider refuses the channel (account, sender, credentials), not this recipient."""

    code: str


@dataclass(frozen=True, slots=True)
class AccountUnpaid:
    """The provider refuses because its account has no money left. `code` is the provider's code."""

    code: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Possibly sent: the response was lost."""

    why: str


#: The result of one attempt to send.
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
