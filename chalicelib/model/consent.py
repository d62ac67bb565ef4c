"""Consent history of contacts, and confirmations of double opt-ins."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.contact import ConsentState
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import ChannelTypeName

#: Characters. Enough for the text that the contact agreed to, with date and place; not for a document.
MAX_PROOF = 2_000
Source = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Proof = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROOF)]
#: Default and longest lifetime of a confirmation link.
LINK_LIFE = timedelta(days=7)
MAX_LINK_LIFE = timedelta(days=30)


class ConsentSource(StrictModel):
    """The origin of a consent: who reported it, and the proof."""

    source: Source = "api"
    """Origin of the consent, for example `api` or `import`; default `api`."""
    proof: Proof | None = None
    """Proof of the consent, for example the text of a checkbox."""
    collected_at: Moment | None = None
    """Time at which the contact gave the consent, if it is earlier than the report."""


class ConsentRecord(ConsentSource):
    """A change of a consent. A record is never changed.

    It is kept as long as the contact, because it may be needed as proof years later.
    """

    channel_type: str
    """Channel type of the consent."""
    message_type: MessageType
    """Message type of the consent."""
    state: ConsentState | None
    """State after the change; null withdraws the earlier decision."""
    at: Moment
    """Time at which the change was recorded."""


class OptInStatus(StrEnum):
    """Status of the confirmation message."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    #: The provider's response was lost; the message is sent again only on request.
    UNKNOWN = "unknown"
    FAILED = "failed"


class OptIn(StoredDocument):
    """A double opt-in request for one channel type and message type of a contact. A new request replaces it."""

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
    #: Attempts that failed with a transient error.
    attempts: int = 0
    #: Reason of a failure.
    reason: Annotated[str, Field(max_length=200)] | None = None

    def is_open(self, now: Moment) -> bool:
        """Report whether the confirmation message is queued, or was sent with a link that is still valid."""
        return self.status in {OptInStatus.QUEUED, OptInStatus.SENDING, OptInStatus.SENT} and now < self.expires_at
