"""Addresses that are not to be written to any more: the list keeps a keyed hash of each, never the address."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.message import MessageType

ChannelTypeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class AddressKind(StrEnum):
    """Which of a contact's addresses; the value is the contact's field."""

    EMAIL = "email"
    PHONE = "phone"


class SuppressionReason(StrEnum):
    """Why. What the contact has said itself is lifted when the contact says otherwise; the rest an operator lifts."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    STOP = "stop"
    ONE_CLICK = "one_click"
    MANUAL = "manual"
    #: Of an erased contact: what its record had said.
    REVOKED = "revoked"

    @property
    def is_own_word(self) -> bool:
        """Whether the contact has said so."""
        return self in {SuppressionReason.STOP, SuppressionReason.ONE_CLICK, SuppressionReason.REVOKED}


class SuppressionBlock(StrictModel):
    """What is not sent to an address; None is every channel type that uses it, or every message type."""

    address: AddressKind
    channel_type: ChannelTypeName | None = None
    message_type: MessageType | None = None
    reason: SuppressionReason
    at: Moment

    def covers(self, channel_type: str, message_type: MessageType) -> bool:
        """Whether such a message is meant."""
        return self.channel_type in {None, channel_type} and self.message_type in {None, message_type}

    def is_same(self, other: "SuppressionBlock") -> bool:
        """Whether it says the same for the same cause, whenever it was said."""
        return self.model_copy(update={"at": other.at}) == other


class Suppression(StoredDocument):
    """One address on the list; `uid` is its keyed hash. Without blocks it is off the list again."""

    kind: ClassVar[str] = "SUPPRESSION"

    #: Who had the address when it was last looked at: only an id, and nobody once the contact is erased.
    contact_uid: Uid | None = None
    blocks: Annotated[tuple[SuppressionBlock, ...], Field(max_length=50)]

    def marks(self) -> Mapping[str, str]:
        return {"listed": "yes"} if self.blocks else {}
