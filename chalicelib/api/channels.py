"""Routes of channels and of the channel types that there are."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import ApiResponse, Call, ListQuery, NoBody, dump, endpoint, respond, respond_page
from chalicelib.core.channels.acquire_rate import RateUsage, rate_usage
from chalicelib.core.channels.circuit_check import close_circuit
from chalicelib.core.channels.edit_channel import create_channel, delete_channel, replace_channel
from chalicelib.core.channels.send_test_message import TestMessage, send_test
from chalicelib.errors import NotFound
from chalicelib.model.base import rfc3339
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.circuit import Circuit
from chalicelib.model.workspace import Scope
from chalicelib.ports import ChannelStatus, ChannelType, Page

blueprint = Blueprint(__name__)


class ChannelQuery(ListQuery):
    """`type` is a channel type's name."""

    type: Annotated[str, Field(max_length=40)] | None = None


@endpoint(blueprint, "POST /v1/channels", scope=Scope.WRITE, body=ChannelFields, idempotent=True)
def post_channel(call: Call[ChannelFields, NoBody]) -> ApiResponse:
    """A new channel; its settings are those of its type."""
    return respond(create_channel(call.ports, call.workspace, call.body), "Channel created", 201)


@endpoint(blueprint, "GET /v1/channels", query=ChannelQuery)
def list_channels(call: Call[NoBody, ChannelQuery]) -> ApiResponse:
    """Newest first."""
    where = {"type": call.query.type} if call.query.type else {}
    return respond_page(call, call.ports.catalog.page(call.workspace, Channel, where, call.query.limit, call.cursor))


@endpoint(blueprint, "GET /v1/channels/{uid}")
def get_channel(call: Call[NoBody, NoBody]) -> ApiResponse:
    """One channel, and how it fares."""
    standing = call.ports.circuits.find_channel(call.workspace, call.uid)
    if standing is None:
        raise NotFound("Channel", call.uid)
    return respond(_show(call, standing), "Channel")


@endpoint(blueprint, "PUT /v1/channels/{uid}", scope=Scope.WRITE, body=ChannelFields)
def put_channel(call: Call[ChannelFields, NoBody]) -> ApiResponse:
    """Replaces all fields; the type stays."""
    return respond(replace_channel(call.ports, call.workspace, call.uid, call.body), "Channel replaced")


@endpoint(blueprint, "DELETE /v1/channels/{uid}", scope=Scope.WRITE)
def remove_channel(call: Call[NoBody, NoBody]) -> ApiResponse:
    """Flows that still use it skip with `channel_not_found`."""
    delete_channel(call.ports, call.workspace, call.uid)
    return respond(None, "Channel deleted")


@endpoint(blueprint, "POST /v1/channels/{uid}/test", scope=Scope.WRITE, body=TestMessage, idempotent=True)
def post_channel_test(call: Call[TestMessage, NoBody]) -> ApiResponse:
    """One message, outside of every flow."""
    return respond(send_test(call.ports, call.workspace, call.uid, call.body), "Test message handed over")


@endpoint(blueprint, "POST /v1/channels/{uid}/circuit/close", scope=Scope.WRITE, idempotent=True)
def post_circuit_close(call: Call[NoBody, NoBody]) -> ApiResponse:
    """For who knows that the channel works again; flows go on only when they are resumed."""
    return respond(_show(call, close_circuit(call.ports, call.workspace, call.uid)), "Circuit closed")


def _show(call: Call[NoBody, NoBody], standing: ChannelStatus) -> dict[str, object]:
    usage = rate_usage(call.ports, call.workspace, standing)
    return {**dump(standing.channel), "circuit": _show_circuit(standing.circuit), "rate": _show_usage(usage)}


def _show_usage(usage: RateUsage) -> dict[str, object]:
    return {
        "perSecond": usage.limits.per_second,
        "perDay": usage.limits.per_day,
        "sentToday": usage.sent_today,
        "heldUntil": rfc3339(usage.held) if usage.held else None,
        "backlogSeconds": round(usage.backlog.total_seconds(), 3),
    }


def _show_circuit(circuit: Circuit) -> dict[str, object]:
    """`retryAfter`: from when on a resumed flow's first send is the probe."""
    return {
        "state": circuit.state.value,
        "since": rfc3339(circuit.since) if circuit.since else None,
        "retryAfter": rfc3339(circuit.retry_at) if circuit.retry_at else None,
        "cause": circuit.cause or None,
        "lastFaults": [{"at": rfc3339(fault.at), "code": fault.code} for fault in circuit.faults],
    }


@endpoint(blueprint, "GET /v1/channel-types")
def list_channel_types(call: Call[NoBody, NoBody]) -> ApiResponse:
    """The registry, with the JSON Schemas of settings and content."""
    kinds = sorted(call.ports.channel_types.items())
    return respond_page(call, Page(tuple(_describe(name, kind) for name, kind in kinds)), total=len(kinds))


def _describe(name: str, kind: ChannelType) -> dict[str, object]:
    return {
        "name": name,
        "deduplicates": kind.deduplicates,
        "settings": kind.settings.model_json_schema(by_alias=True),
        "content": kind.content.model_json_schema(by_alias=True),
    }
