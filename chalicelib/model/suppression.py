"""The suppression list. It stores a keyed hash of each address, never the address."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.message import MessageType

ChannelTypeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class AddressKind(StrEnum):
    """An address of a contact; the value is the name of the contact's field."""

    EMAIL = "email"
    PHONE = "phone"


class SuppressionReason(StrEnum):
    """Reason for a suppression. The contact can undo its own decisions; all others need an operator."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    STOP = "stop"
    ONE_CLICK = "one_click"
    MANUAL = "manual"
    #: The contact revoked its consent and was erased later.
    REVOKED = "revoked"

    @property
    def is_by_contact(self) -> bool:
        """Report whether the contact itself asked for the suppression."""
        return self in {SuppressionReason.STOP, SuppressionReason.ONE_CLICK, SuppressionReason.REVOKED}


class SuppressionBlock(StrictModel):
    """A suppression of an address. None means every channel type that uses the address, or every message type."""

    address: AddressKind
    """Kind of the address."""
    channel_type: ChannelTypeName | None = None
    """Channel type that is suppressed; null means all that use the address."""
    message_type: MessageType | None = None
    """Message type that is suppressed; null means all messages."""
    reason: SuppressionReason
    """Why the address is suppressed."""
    at: Moment
    """Time of the suppression."""

    def covers(self, channel_type: str, message_type: MessageType) -> bool:
        """Report whether the suppression applies to a message."""
        return self.channel_type in {None, channel_type} and self.message_type in {None, message_type}

    def is_same(self, other: "SuppressionBlock") -> bool:
        """Report whether two suppressions have the same scope and reason. Their times may differ."""
        return self.model_copy(update={"at": other.at}) == other


class Suppression(StoredDocument):
    """An entry of the list; `uid` is the keyed hash of the address.

    Without blocks the address is no longer suppressed.
    """

    kind: ClassVar[str] = "SUPPRESSION"

    contact_uid: Uid | None = None
    """Contact that last had the address; null if there was none or it was erased."""
    blocks: Annotated[tuple[SuppressionBlock, ...], Field(max_length=50)]
    """Reasons why the address is suppressed, at most 50."""

    def filter_attributes(self) -> Mapping[str, str]:
        return {"listed": "yes"} if self.blocks else {}
