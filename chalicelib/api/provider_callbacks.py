"""`/v1/hooks/{uid}`: callbacks of channels' providers, without a key: their signature opens. Queued as they came."""

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
#: To Twilio it says that there is nothing to answer; others do not look.
_DONE = "<Response/>"


class HookBody(StrictModel):
    """Whatever the provider sends: forms or JSON, signed to the byte."""

    raw_body: ClassVar[str] = "raw"
    max_bytes: ClassVar[int] = MAX_CALLBACK_BYTES

    raw: bytes = b""


class HookQuery(StrictModel):
    """Whatever the provider asks or was told to repeat."""

    model_config = ConfigDict(extra="allow")

    @property
    def values(self) -> Mapping[str, str]:
        """By name."""
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
    """Takes a callback that the channel's provider has signed."""
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
    """Proves to the provider that asks for it that the address is ours."""
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
    """As the provider called it. API Gateway has decoded the query: what we put there has no character to encode."""
    query = urlencode(call.query.values)
    return f"{call.ports.public_url}/v1/hooks/{call.uid}{'?' if query else ''}{query}"
