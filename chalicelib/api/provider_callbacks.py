"""Routes `/v1/hooks/{uid}`: callbacks of providers. They are authenticated by signature and queued unparsed."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlencode

from chalice.app import Blueprint
from pydantic import ConfigDict

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, NoData, endpoint
from chalicelib.errors import Forbidden, NotFound
from chalicelib.model.base import StrictModel
from chalicelib.model.channel import Channel
from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES, ProviderCallback, read_hook_uid
from chalicelib.model.ids import ChannelUid, WorkspaceUid
from chalicelib.model.queued_report import build_posted
from chalicelib.ports import ChannelType

blueprint = Blueprint(__name__)
#: For Twilio this means that there is no reply. Other providers ignore it.
_DONE = "<Response/>"


class HookBody(StrictModel):
    """The raw body of a callback: a form or JSON, signed byte by byte."""

    raw_body: ClassVar[str] = "raw"
    max_bytes: ClassVar[int] = MAX_CALLBACK_BYTES

    raw: bytes = b""
    """The body as the provider sent it."""


class HookQuery(StrictModel):
    """The query of a callback, with any parameters."""

    model_config = ConfigDict(extra="allow")

    @property
    def values(self) -> Mapping[str, str]:
        """Return the parameters by name."""
        return {name: str(value) for name, value in (self.model_extra or {}).items()}


@endpoint(
    blueprint,
    "POST /v1/hooks/{uid}",
    response=NoData,
    media_type="text/xml",
    scope=None,
    body=HookBody,
    query=HookQuery,
    idempotent=False,
)
def post_hook(call: Call[HookBody, HookQuery]) -> ApiResponse[NoData]:
    """Accept a callback that the provider of the channel has signed."""
    workspace, channel, kind = _find(call)
    headers = {name.lower(): value for name, value in call.headers.items()}
    callback = ProviderCallback(call.body.raw, _url(call), headers)
    if not kind.is_genuine(workspace, channel, callback):
        raise Forbidden("The channel's provider has not signed this")
    posted = build_posted(workspace, ChannelUid(channel.uid), callback, call.ports.clock.now())
    call.ports.receipt_queue.send(posted.model_dump_json())
    return ApiResponse(200, _DONE, {}, "text/xml")


@endpoint(blueprint, "GET /v1/hooks/{uid}", response=NoData, media_type="text/plain", scope=None, query=HookQuery)
def get_hook(call: Call[NoBody, HookQuery]) -> ApiResponse[NoData]:
    """Answer the challenge by which a provider verifies the URL."""
    workspace, channel, kind = _find(call)
    answer = kind.answer_challenge(workspace, channel, call.query.values)
    if answer is None:
        raise Forbidden("This is not the channel's provider")
    return ApiResponse(200, answer, {}, "text/plain")


def _find(call: Call[HookBody, HookQuery] | Call[NoBody, HookQuery]) -> tuple[WorkspaceUid, Channel, ChannelType]:
    uid = read_hook_uid(call.uid)
    channel = call.ports.catalog.find(uid[0], Channel, uid[1]) if uid else None
    kind = call.ports.channel_types.get(channel.type) if channel else None
    if uid is None or channel is None or kind is None:
        raise NotFound("Hook", call.uid[:64])
    return uid[0], channel, kind


def _url(call: Call[HookBody, HookQuery]) -> str:
    """Return the URL that the provider called. Its query needs no encoding, because it holds only plain characters."""
    query = urlencode(call.query.values)
    return f"{call.ports.public_url}/v1/hooks/{call.uid}{'?' if query else ''}{query}"
