"""Routes of messages: each is a SEND of an execution, so they are read from the rows."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api._http import Answer, Call, ListQuery, Nothing, endpoint, many, one
from chalicelib.api.flow_shapes import message_status, show_message
from chalicelib.errors import NotFound, invalid
from chalicelib.model.base import Moment, Uid
from chalicelib.model.campaign import Campaign
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow
from chalicelib.model.ids import NodeId, read_message_uid
from chalicelib.ports import Page
from chalicelib.usecases.campaign_flows import flows_of
from chalicelib.usecases.list_executions import flows_of_contact, get_execution, list_executions

blueprint = Blueprint(__name__)


class MessageFilter(ListQuery):
    """One of `flowUid`, `contactUid`, `campaignUid` is needed."""

    flow_uid: Uid | None = None
    contact_uid: Uid | None = None
    campaign_uid: Uid | None = None
    channel_uid: Uid | None = None
    status: Annotated[str, Field(max_length=20)] | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


MessageCall = Call[Nothing, MessageFilter]


@endpoint(blueprint, "GET /v1/messages", query=MessageFilter)
def get_messages(call: MessageCall) -> Answer:
    """A page of messages; one with filters may be short and still have a next."""
    query = call.query
    if query.contact_uid:
        return many(call, _of_contact(call, query.contact_uid))
    if query.flow_uid:
        flows = [call.ports.catalog.get(call.workspace, Flow, query.flow_uid)]
    elif query.campaign_uid:
        call.ports.catalog.get(call.workspace, Campaign, query.campaign_uid)
        flows = list(flows_of(call.ports, call.workspace, query.campaign_uid))
    else:
        raise invalid("flowUid", "One of flowUid, contactUid or campaignUid is needed")
    return many(call, _of_flows(call, flows))


def _of_contact(call: MessageCall, contact: str) -> Page[dict[str, object]]:
    """A contact's messages fit a page or few, so they are read at once and counted through."""
    messages: list[dict[str, object]] = []
    for flow in flows_of_contact(call.ports, call.workspace, contact):
        if _flow_fits(flow, call.query):
            messages += _messages_of(get_execution(call.ports, call.workspace, flow, contact), call.query)
    start = int(call.cursor) if call.cursor and call.cursor.isdecimal() else 0
    end = start + call.query.limit
    return Page(tuple(messages[start:end]), str(end) if end < len(messages) else None)


def _flow_fits(flow: Flow, query: MessageFilter) -> bool:
    return query.flow_uid in {None, flow.uid} and query.campaign_uid in {None, flow.campaign_uid}


def _of_flows(call: MessageCall, flows: list[Flow]) -> Page[dict[str, object]]:
    """Flow after flow; the cursor is the flow's uid and the position among its executions."""
    wanted, _, position = (call.cursor or "").partition("|")
    start = next((index for index, flow in enumerate(flows) if flow.uid == wanted), 0)
    for index in range(start, len(flows)):
        inside = position if index == start and position else None
        page = list_executions(
            call.ports, call.workspace, flows[index], lambda row: bool(row.results), call.query.limit, inside
        )
        messages = tuple(each for row in page.items for each in _messages_of(row, call.query))
        following = f"{flows[index].uid}|{page.cursor}" if page.cursor else None
        if following is None and index + 1 < len(flows):
            following = f"{flows[index + 1].uid}|"
        if messages or page.cursor:
            return Page(messages, following)
    return Page(())


def _messages_of(row: Execution, query: MessageFilter) -> list[dict[str, object]]:
    return [show_message(row, node) for node in row.results if _fits(row, node, query)]


def _fits(row: Execution, node: NodeId, query: MessageFilter) -> bool:
    result = row.results[node]
    status = message_status(result, row.receipts.get(node))
    return (
        query.channel_uid in {None, result.channel}
        and query.status in {None, status}
        and (query.from_ is None or result.at >= query.from_)
        and (query.to is None or result.at < query.to)
    )


@endpoint(blueprint, "GET /v1/messages/{uid}")
def get_message(call: Call[Nothing, Nothing]) -> Answer:
    """One message by its uid, which names its flow, contact and node."""
    address = read_message_uid(call.uid)
    if address is None or address.workspace != call.workspace:
        raise NotFound("Message", call.uid)
    flow = call.ports.catalog.get(call.workspace, Flow, address.flow)
    row = get_execution(call.ports, call.workspace, flow, address.contact)
    if address.node not in row.results:
        raise NotFound("Message", call.uid)
    return one(show_message(row, address.node), "Message")
