"""Messages of the receipt queue: provider events in their original form, callbacks, and visits of tracking links."""

import base64
import json
import zlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES, ProviderCallback
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import ChannelUid, WorkspaceUid


class QueuedCallback(StrictModel):
    """An authenticated callback of a channel's provider.

    The body is compressed, because nested JSON text grows by half.
    """

    kind: Literal["hook"] = "hook"
    workspace: Annotated[WorkspaceUid, Field(alias="w")]
    channel: Annotated[ChannelUid, Field(alias="ch")]
    url: str
    body: str
    at: Moment


class LinkVisit(StrictModel):
    """A visit of a tracking link, or a load of the tracking image. `engagement` is the state that the message
    reached.
    """

    kind: Literal["link"] = "link"
    message_uid: Annotated[str, Field(alias="m")]
    engagement: Annotated[Engagement, Field(alias="e")]
    at: Moment


_OWN: TypeAdapter[QueuedCallback | LinkVisit] = TypeAdapter(
    Annotated[QueuedCallback | LinkVisit, Field(discriminator="kind")]
)
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def build_posted(
    workspace: WorkspaceUid, channel: ChannelUid, callback: ProviderCallback, at: datetime
) -> QueuedCallback:
    """Build the queue message for a callback, without the headers, which are needed only to check the signature."""
    packed = base64.b64encode(zlib.compress(callback.body)).decode()
    return QueuedCallback(workspace=workspace, channel=channel, url=callback.url, body=packed, at=at)


def decompress_body(posted: QueuedCallback) -> ProviderCallback:
    """Return the original callback, cut at MAX_CALLBACK_BYTES."""
    body = zlib.decompressobj().decompress(base64.b64decode(posted.body), MAX_CALLBACK_BYTES)
    return ProviderCallback(body, posted.url)


def parse_internal(text: str) -> QueuedCallback | LinkVisit | None:
    """Parse a message that Carillon itself has queued; None for a provider's event."""
    try:
        return _OWN.validate_json(text)
    except ValidationError:
        return None


def parse_sns(text: str) -> datetime | None:
    """Return the time at which SNS received an event from its provider; None if SNS did not deliver it."""
    try:
        envelope: object = json.loads(text)
        timestamp = envelope.get("Timestamp") if isinstance(envelope, dict) else None
        return _MOMENT.validate_python(timestamp)
    except (ValueError, RecursionError):
        return None
