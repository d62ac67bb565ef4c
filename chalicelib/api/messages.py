"""Routes of messages. A message is a SEND of an execution, so it is read from the execution."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    ResponseForm,
    endpoint,
    respond,
    respond_page,
)
from chalicelib.api.http.lists import page_of_list
from chalicelib.api.responses.executions import MessageResponse, MessageStatus, message_response, message_status
from chalicelib.core.launching.control_campaign import flows_of
from chalicelib.core.reporting.list_executions import find_executions, flows_of_contact, get_execution, list_executions
from chalicelib.errors import NotFound, invalid
from chalicelib.model.base import Moment, Uid
from chalicelib.model.campaign import Campaign
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow
from chalicelib.model.ids import NodeId, read_message_uid
from chalicelib.ports import Page

blueprint = Blueprint(__name__)
#: Newest executions of a contact in one event campaign that are listed.
_ENTRIES = 100


class MessageFilter(ListQuery):
    """Filters of the message list. One of `flowUid`, `contactUid` and `campaignUid` is required."""

    flow_uid: Uid | None = None
    """Only messages of this flow."""
    contact_uid: Uid | None = None
    """Only messages to this contact."""
    campaign_uid: Uid | None = None
    """Only messages of this campaign."""
    channel_uid: Uid | None = None
    """Only messages of this channel."""
    status: MessageStatus | None = None
    """Only messages with this status."""
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """Only messages at or after this time."""
    to: Moment | None = None
    """Only messages before this time."""


MessageCall = Call[NoBody, MessageFilter]


@endpoint(blueprint, "GET /v1/messages", response=MessageResponse, form=ResponseForm.PAGE, query=MessageFilter)
def get_messages(call: MessageCall) -> ApiResponse[MessageResponse]:
    """List messages. A filtered page may be short and still have a next page."""
    query = call.query
    if query.contact_uid:
        return respond_page(call, _of_contact(call, query.contact_uid))
    if query.flow_uid:
        flow = call.ports.catalog.get(call.workspace, Flow, query.flow_uid)
        flows = [flow] if _flow_fits(flow, query) else []
    elif query.campaign_uid:
        call.ports.catalog.get(call.workspace, Campaign, query.campaign_uid)
        flows = list(flows_of(call.ports, call.workspace, query.campaign_uid))
    else:
        raise invalid("flowUid", "One of flowUid, contactUid or campaignUid is needed")
    return respond_page(call, _of_flows(call, flows))


def _of_contact(call: MessageCall, contact: str) -> Page[MessageResponse]:
    """Return a page of the messages of a contact. They are few, so all are read."""
    messages: list[MessageResponse] = []
    for flow in flows_of_contact(call.ports, call.workspace, contact):
        if _flow_fits(flow, call.query):
            rows = find_executions(call.ports, call.workspace, flow, contact, _ENTRIES)
            messages += [message for row in rows for message in _messages_of(row, call.query)]
    return page_of_list(messages, call.query.limit, call.cursor)


def _flow_fits(flow: Flow, query: MessageFilter) -> bool:
    return query.flow_uid in {None, flow.uid} and query.campaign_uid in {None, flow.campaign_uid}


@dataclass(frozen=True, slots=True)
class _Place:
    """Position in a list: the flow, the cursor of its executions, and the number of shown messages."""

    flow: str
    inside: str | None = None
    skip: int = 0

    def __str__(self) -> str:
        return json.dumps([self.flow, self.inside, self.skip])


def _read_place(cursor: str, flows: Sequence[Flow]) -> tuple[int, _Place]:
    """Return the flow and its index. If it was deleted, the next older one."""
    match json.loads(cursor) if cursor.startswith("[") else None:
        case [str(flow), str() | None as inside, int(skip)] if flow in {each.uid for each in flows}:
            return [each.uid for each in flows].index(flow), _Place(flow, inside, skip)
        case [str(flow), *_]:
            older = (index for index, each in enumerate(flows) if each.uid < flow)
            return next(older, len(flows)), _Place(flow)
        case _:
            raise invalid("cursor", "Invalid cursor: pass the cursor of the previous page of this list")


def _of_flows(call: MessageCall, flows: Sequence[Flow]) -> Page[MessageResponse]:
    """Search flow after flow for a page with messages."""
    start, place = _read_place(call.cursor, flows) if call.cursor else (0, _Place(""))
    for index in range(start, len(flows)):
        inside = place if place.flow == flows[index].uid else _Place(flows[index].uid)
        messages, following = _of_flow(call, flows[index], inside)
        if following is None and index + 1 < len(flows):
            following = _Place(flows[index + 1].uid)
        if messages or following is None or following.flow == flows[index].uid:
            return Page(messages, str(following) if following else None)
    return Page(())


def _of_flow(call: MessageCall, flow: Flow, place: _Place) -> tuple[tuple[MessageResponse, ...], _Place | None]:
    """Return a page of messages. An execution may have several, so one page of executions may fill several pages."""
    limit, query = call.query.limit, call.query
    page = list_executions(
        call.ports, call.workspace, flow, lambda row: bool(_messages_of(row, query)), limit, place.inside
    )
    messages = [each for row in page.items for each in _messages_of(row, query)]
    end = place.skip + limit
    if end < len(messages):
        return tuple(messages[place.skip : end]), replace(place, skip=end)
    left = max(0, place.skip - len(messages))
    return tuple(messages[place.skip :]), _Place(flow.uid, page.cursor, left) if page.cursor else None


def _messages_of(row: Execution, query: MessageFilter) -> list[MessageResponse]:
    return [message_response(row, node) for node in row.results if _fits(row, node, query)]


def _fits(row: Execution, node: NodeId, query: MessageFilter) -> bool:
    result = row.results[node]
    status = message_status(result, row.receipts.get(node))
    return (
        query.channel_uid in {None, result.channel}
        and query.status in {None, status}
        and (query.from_ is None or result.at >= query.from_)
        and (query.to is None or result.at < query.to)
    )


@endpoint(blueprint, "GET /v1/messages/{uid}", response=MessageResponse)
def get_message(call: Call[NoBody, NoBody]) -> ApiResponse[MessageResponse]:
    """Return a message by its uid, which names its flow, contact and node."""
    address = read_message_uid(call.uid)
    if address is None or address.workspace != call.workspace:
        raise NotFound("Message", call.uid)
    flow = call.ports.catalog.get(call.workspace, Flow, address.flow)
    row = get_execution(call.ports, call.workspace, flow, address.contact, address.visit)
    if address.node not in row.results or str(row.message_uid(address.node)) != call.uid:
        raise NotFound("Message", call.uid)
    return respond(message_response(row, address.node), "Message")
