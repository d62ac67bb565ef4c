"""Response models of contacts and consent."""

from chalicelib.model.base import StrictModel
from chalicelib.model.consent import OptIn
from chalicelib.model.contact import ConsentState
from chalicelib.model.message import MessageType


class SavedVersionResponse(StrictModel):
    """To the repetition of a call: who it was, as what is erased must not live on in a kept answer."""

    uid: str


class ConsentResponse(StrictModel):
    """What was noted; `confirmation` where the contact was asked."""

    contact_uid: str
    channel_type: str
    message_type: MessageType
    state: ConsentState
    confirmation: OptIn | None = None
