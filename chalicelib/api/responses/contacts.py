"""Response models of contacts and consent."""

from pydantic import ConfigDict

from chalicelib.api.http.call import PartialResponse
from chalicelib.core.reporting.timeline import EntryKind, TimelineEntry
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.consent import OptInStatus
from chalicelib.model.contact import ConsentState
from chalicelib.model.message import MessageType


class SavedVersionResponse(StrictModel):
    """Response to a repeated call: only the uid, because data of an erased contact must not stay stored."""

    uid: str
    """Contact that the first call saved."""


class OptInResponse(StrictModel):
    """A request to a contact to confirm a consent."""

    uid: str
    """Identifier of the confirmation request."""
    created_at: Moment
    """Time of the request."""
    updated_at: Moment
    """Time of the last change of its status."""
    contact_uid: str
    """Contact that is asked to confirm."""
    channel_type: str
    """Channel type that the consent is for."""
    message_type: MessageType
    """Message type that the consent is for."""
    channel_uid: str
    """Channel that sends the confirmation message."""
    template_uid: str
    """Template of the confirmation message."""
    template_version: int
    """Published version of that template."""
    expires_at: Moment
    """Time after which the confirmation link is invalid."""
    status: OptInStatus
    """Status of the confirmation message."""
    attempts: int
    """Number of attempts that failed with a transient error."""
    reason: str | None
    """Failure code; null if the message did not fail."""


class ConsentResponse(PartialResponse):
    """The consent that was saved, and the confirmation if the contact was asked for one."""

    contact_uid: str
    """Contact whose consent was saved."""
    channel_type: str
    """Channel type that the consent is for, for example `email`."""
    message_type: MessageType
    """Message type that the consent is for."""
    state: ConsentState
    """Consent that was saved."""
    confirmation: OptInResponse | None = None
    """Confirmation request; absent if the contact was not asked."""


class TimelineResponse(StrictModel):
    """An entry of a contact's timeline. Its other fields depend on `kind`."""

    model_config = ConfigDict(extra="allow")

    kind: EntryKind
    """Type of the entry; it decides which other fields there are."""
    at: Moment
    """Time of the entry; entries are listed newest first."""


def timeline_response(entry: TimelineEntry) -> TimelineResponse:
    """Return an entry of a timeline."""
    return TimelineResponse(kind=entry.kind, at=entry.at, **entry.details)
