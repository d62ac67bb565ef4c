"""Response models of contacts and consent."""

from pydantic import ConfigDict

from chalicelib.api.http.call import PartialResponse
from chalicelib.core.reporting.timeline import EntryKind, TimelineEntry
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.consent import OptInStatus
from chalicelib.model.contact import ConsentState
from chalicelib.model.message import MessageType


class SavedVersionResponse(StrictModel):
    """To the repetition of a call: who it was, as what is erased must not live on in a kept answer."""

    uid: str


class OptInResponse(StrictModel):
    """A request to a contact to confirm a consent."""

    uid: str
    created_at: Moment
    updated_at: Moment
    contact_uid: str
    channel_type: str
    message_type: MessageType
    channel_uid: str
    template_uid: str
    template_version: int
    expires_at: Moment
    status: OptInStatus
    attempts: int
    reason: str | None


class ConsentResponse(PartialResponse):
    """The consent that was saved, and the confirmation if the contact was asked for one."""

    contact_uid: str
    channel_type: str
    message_type: MessageType
    state: ConsentState
    confirmation: OptInResponse | None = None


class TimelineResponse(StrictModel):
    """An entry of a contact's timeline. Its other fields depend on `kind`."""

    model_config = ConfigDict(extra="allow")

    kind: EntryKind
    at: Moment


def timeline_response(entry: TimelineEntry) -> TimelineResponse:
    """Return an entry of a timeline."""
    return TimelineResponse(kind=entry.kind, at=entry.at, **entry.details)
