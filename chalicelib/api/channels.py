"""Routes of channels and channel types."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    NoData,
    ResponseForm,
    endpoint,
    respond,
    respond_done,
    respond_page,
)
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.channels import ChannelResponse, circuit_response, rate_response
from chalicelib.api.responses.registries import ChannelTypeResponse
from chalicelib.core.channels.acquire_rate import rate_usage
from chalicelib.core.channels.circuit_check import close_circuit
from chalicelib.core.channels.edit_channel import create_channel, delete_channel, replace_channel
from chalicelib.core.channels.send_test_message import TestMessage, TestResult, send_test
from chalicelib.errors import NotFound
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.workspace import Scope
from chalicelib.ports import ChannelStatus, ChannelType, Page

blueprint = Blueprint(__name__)


class ChannelQuery(ListQuery):
    """Filter of the channel list."""

    type: Annotated[str, Field(max_length=40)] | None = None
    """Only channels of this type, for example `email`."""


@endpoint(
    blueprint, "POST /v1/channels", response=Channel, status=201, scope=Scope.WRITE, body=ChannelFields, idempotent=True
)
def post_channel(call: Call[ChannelFields, NoBody]) -> ApiResponse[Channel]:
    """Create a channel. Its settings depend on its type."""
    return respond(create_channel(call.ports, call.workspace, call.body), "Channel created", 201)


@endpoint(blueprint, "GET /v1/channels", response=Channel, form=ResponseForm.PAGE, query=ChannelQuery)
def list_channels(call: Call[NoBody, ChannelQuery]) -> ApiResponse[Channel]:
    """List channels, newest first."""
    where = {"type": call.query.type} if call.query.type else {}
    return respond_page(call, call.ports.catalog.page(call.workspace, Channel, where, call.query.limit, call.cursor))


@endpoint(blueprint, "GET /v1/channels/{uid}", response=ChannelResponse)
def get_channel(call: Call[NoBody, NoBody]) -> ApiResponse[ChannelResponse]:
    """Return a channel with its circuit and its limits."""
    status = call.ports.circuits.find_channel(call.workspace, call.uid)
    if status is None:
        raise NotFound("Channel", call.uid)
    return respond(_response(call, status), "Channel")


@endpoint(blueprint, "PUT /v1/channels/{uid}", response=Channel, scope=Scope.WRITE, body=ChannelFields)
def put_channel(call: Call[ChannelFields, NoBody]) -> ApiResponse[Channel]:
    """Replace all fields of a channel. The type cannot change."""
    return respond(replace_channel(call.ports, call.workspace, call.uid, call.body), "Channel replaced")


@endpoint(blueprint, "DELETE /v1/channels/{uid}", response=NoData, scope=Scope.WRITE)
def remove_channel(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Delete a channel. Flows that use it skip messages with the reason `channel_not_found`."""
    delete_channel(call.ports, call.workspace, call.uid)
    return respond_done("Channel deleted")


@endpoint(
    blueprint, "POST /v1/channels/{uid}/test", response=TestResult, scope=Scope.WRITE, body=TestMessage, idempotent=True
)
def post_channel_test(call: Call[TestMessage, NoBody]) -> ApiResponse[TestResult]:
    """Send a test message that belongs to no flow."""
    return respond(send_test(call.ports, call.workspace, call.uid, call.body), "Test message handed over")


@endpoint(
    blueprint, "POST /v1/channels/{uid}/circuit/close", response=ChannelResponse, scope=Scope.WRITE, idempotent=True
)
def post_circuit_close(call: Call[NoBody, NoBody]) -> ApiResponse[ChannelResponse]:
    """Close the circuit of a channel. Paused flows stay paused until they are resumed."""
    return respond(_response(call, close_circuit(call.ports, call.workspace, call.uid)), "Circuit closed")


def _response(call: Call[NoBody, NoBody], status: ChannelStatus) -> ChannelResponse:
    usage = rate_usage(call.ports, call.workspace, status)
    return build_response(
        ChannelResponse, status.channel, circuit=circuit_response(status.circuit), rate=rate_response(usage)
    )


@endpoint(blueprint, "GET /v1/channel-types", response=ChannelTypeResponse, form=ResponseForm.PAGE)
def list_channel_types(call: Call[NoBody, NoBody]) -> ApiResponse[ChannelTypeResponse]:
    """List the channel types with the JSON Schemas of settings and content."""
    kinds = sorted(call.ports.channel_types.items())
    return respond_page(call, Page(tuple(_describe(name, kind) for name, kind in kinds)), total=len(kinds))


def _describe(name: str, kind: ChannelType) -> ChannelTypeResponse:
    return ChannelTypeResponse(
        name=name,
        deduplicates=kind.deduplicates,
        settings=kind.settings.model_json_schema(by_alias=True),
        content=kind.content.model_json_schema(by_alias=True),
    )
