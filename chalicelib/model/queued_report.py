"""What lies in the queue of receipts: a provider's event as it came, a callback to a hook, a followed link."""

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
    """A genuine callback of a channel's provider. The body is packed, as text in JSON in JSON grows by half."""

    kind: Literal["hook"] = "hook"
    workspace: Annotated[WorkspaceUid, Field(alias="w")]
    channel: Annotated[ChannelUid, Field(alias="ch")]
    url: str
    body: str
    at: Moment


class LinkVisit(StrictModel):
    """A contact followed a link of ours, or loaded its image: what the message has reached by that."""

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
    """What is queued of a callback: all but its headers, which were for its signature."""
    packed = base64.b64encode(zlib.compress(callback.body)).decode()
    return QueuedCallback(workspace=workspace, channel=channel, url=callback.url, body=packed, at=at)


def decompress_body(posted: QueuedCallback) -> ProviderCallback:
    """The callback again, never more than MAX_CALLBACK_BYTES of it."""
    body = zlib.decompressobj().decompress(base64.b64decode(posted.body), MAX_CALLBACK_BYTES)
    return ProviderCallback(body, posted.url)


def parse_internal(text: str) -> QueuedCallback | LinkVisit | None:
    """What we put there ourselves; None for a provider's event."""
    try:
        return _OWN.validate_json(text)
    except ValidationError:
        return None


def parse_sns(text: str) -> datetime | None:
    """When SNS took an event from its provider; None where it did not bring it."""
    try:
        envelope: object = json.loads(text)
        told = envelope.get("Timestamp") if isinstance(envelope, dict) else None
        return _MOMENT.validate_python(told)
    except (ValueError, RecursionError):
        return None
