"""What a contact has agreed to, each time it said so, and the confirmation that makes an opt-in a double one."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.contact import ConsentState
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import ChannelTypeName

#: What a contact saw and ticked, in full: enough for a sentence with its date and place, not for a document.
MAX_PROOF = 2_000
Source = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Proof = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROOF)]
#: How long a confirmation link works when nobody says otherwise, and at most.
LINK_LIFE = timedelta(days=7)
MAX_LINK_LIFE = timedelta(days=30)


class ConsentSource(StrictModel):
    """How we know: who reported it, and what proves it."""

    source: Source = "api"
    proof: Proof | None = None
    #: When the contact said it, where that was before it was reported.
    collected_at: Moment | None = None


class ConsentRecord(ConsentSource):
    """One change, never changed itself. Kept as long as the contact: it may have to be shown years later."""

    channel_type: str
    message_type: MessageType
    #: None takes back whatever was said before.
    state: ConsentState | None
    at: Moment


class OptInStatus(StrEnum):
    """How far the confirmation message is."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    #: The answer was lost: it is sent again only when somebody asks for it.
    UNKNOWN = "unknown"
    FAILED = "failed"


class OptIn(StoredDocument):
    """The confirmation asked for one channel type and message type of a contact; asking again replaces it."""

    kind: ClassVar[str] = "OPT_IN"

    contact_uid: Uid
    channel_type: ChannelTypeName
    message_type: MessageType
    channel_uid: Uid
    template_uid: Uid
    #: Published version of the template.
    template_version: int
    expires_at: Moment
    status: OptInStatus = OptInStatus.QUEUED
    #: Tries that the provider refused for the moment.
    attempts: int = 0
    #: Why it failed.
    reason: Annotated[str, Field(max_length=200)] | None = None

    def is_open(self, now: Moment) -> bool:
        """Whether a message is out, or on its way, whose link still works."""
        return self.status in {OptInStatus.QUEUED, OptInStatus.SENDING, OptInStatus.SENT} and now < self.expires_at
