"""Routes of channels and of the channel types that there are."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api._http import Answer, Call, ListQuery, Nothing, endpoint, many, one
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.workspace import Scope
from chalicelib.ports import ChannelType, Page
from chalicelib.usecases.send_test import TestMessage, send_test
from chalicelib.usecases.write_channel import create_channel, delete_channel, replace_channel

blueprint = Blueprint(__name__)


class ChannelQuery(ListQuery):
    """`type` is a channel type's name."""

    type: Annotated[str, Field(max_length=40)] | None = None


@endpoint(blueprint, "POST /v1/channels", scope=Scope.WRITE, body=ChannelFields, idempotent=True)
def post_channel(call: Call[ChannelFields, Nothing]) -> Answer:
    """A new channel; its settings are those of its type."""
    return one(create_channel(call.ports, call.workspace, call.body), "Channel created", 201)


@endpoint(blueprint, "GET /v1/channels", query=ChannelQuery)
def list_channels(call: Call[Nothing, ChannelQuery]) -> Answer:
    """Newest first."""
    where = {"type": call.query.type} if call.query.type else {}
    return many(call, call.ports.catalog.page(call.workspace, Channel, where, call.query.limit, call.cursor))


@endpoint(blueprint, "GET /v1/channels/{uid}")
def get_channel(call: Call[Nothing, Nothing]) -> Answer:
    """One channel."""
    return one(call.ports.catalog.get(call.workspace, Channel, call.uid), "Channel")


@endpoint(blueprint, "PUT /v1/channels/{uid}", scope=Scope.WRITE, body=ChannelFields)
def put_channel(call: Call[ChannelFields, Nothing]) -> Answer:
    """Replaces all fields; the type stays."""
    return one(replace_channel(call.ports, call.workspace, call.uid, call.body), "Channel replaced")


@endpoint(blueprint, "DELETE /v1/channels/{uid}", scope=Scope.WRITE)
def remove_channel(call: Call[Nothing, Nothing]) -> Answer:
    """Flows that still use it skip with `channel_not_found`."""
    delete_channel(call.ports, call.workspace, call.uid)
    return one(None, "Channel deleted")


@endpoint(blueprint, "POST /v1/channels/{uid}/test", scope=Scope.WRITE, body=TestMessage, idempotent=True)
def post_channel_test(call: Call[TestMessage, Nothing]) -> Answer:
    """One message, outside of every flow."""
    return one(send_test(call.ports, call.workspace, call.uid, call.body), "Test message handed over")


@endpoint(blueprint, "GET /v1/channel-types")
def list_channel_types(call: Call[Nothing, Nothing]) -> Answer:
    """The registry, with the JSON Schemas of settings and content."""
    kinds = sorted(call.ports.channel_types.items())
    return many(call, Page(tuple(_describe(name, kind) for name, kind in kinds)), total=len(kinds))


def _describe(name: str, kind: ChannelType) -> dict[str, object]:
    return {
        "name": name,
        "deduplicates": kind.deduplicates,
        "settings": kind.settings.model_json_schema(by_alias=True),
        "content": kind.content.model_json_schema(by_alias=True),
    }
