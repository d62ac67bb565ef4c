"""Routes of flows and their executions, with and without `/v1`."""

from typing import Annotated, ClassVar, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.call import READ_NUMBER
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
from chalicelib.api.http.lists import page_of_list
from chalicelib.api.responses.executions import (
    ExecutionDetailResponse,
    ExecutionResponse,
    execution_detail,
    execution_response,
)
from chalicelib.api.responses.flows import (
    ContactsAddedResponse,
    FlowResponse,
    FlowSummaryResponse,
    flow_response,
    flow_summary,
)
from chalicelib.core.flows.add_contacts import add_contacts
from chalicelib.core.flows.control_flow import FlowChange, change_flow, delete_flow
from chalicelib.core.flows.create_flow import NewFlow, create_flow
from chalicelib.core.flows.dispatch_executions import is_overdue
from chalicelib.core.flows.retry_flow import RetryRequest, retry_flow
from chalicelib.core.reconciliation.recount_flow import recount_now
from chalicelib.core.reconciliation.request_recount import request_recount
from chalicelib.core.reporting.describe_flow import describe_flow
from chalicelib.core.reporting.list_executions import flows_of_contact, get_execution, list_executions
from chalicelib.errors import invalid
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.campaign import MAX_VALUES, ContactUids
from chalicelib.model.execution import Execution, ExecutionStatus
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import NodeId, WorkspaceUid
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page, Ports

blueprint = Blueprint(__name__)


class FlowFilter(ListQuery):
    """Filters of the flow list. All of them must match."""

    contact_uid: Uid | None = None
    """Only flows with this contact."""
    identity_uid: Uid | None = None
    """Other name of `contactUid`."""
    channel_uid: Uid | None = None
    """Only flows of this channel."""
    campaign_uid: Uid | None = None
    """Only flows of this campaign."""
    status: FlowStatus | None = None
    """Only flows with this status."""


class ExecutionFilter(ListQuery):
    """Filters of the execution list."""

    status: ExecutionStatus | None = None
    """Only executions with this status."""
    node_id: Annotated[str, Field(max_length=64)] | None = None
    """Only executions that are at this step or have a message of it."""
    reason: Annotated[str, Field(max_length=200)] | None = None
    """Only executions or messages with this failure or skip code."""
    stuck: Literal["true"] | None = None
    """`true` lists only executions that are overdue."""


class EntryQuery(StrictModel):
    """Selection of an execution of a contact."""

    entry: Annotated[int, Field(ge=1, le=999_999), READ_NUMBER] | None = None
    """Number of the contact's entry into an event campaign, from 1; default is the newest."""


class MoreContacts(StrictModel):
    """The body of `POST /v1/flows/{uid}/contacts`."""

    max_values: ClassVar[int] = MAX_VALUES

    contact_uids: ContactUids
    """Contacts to add to the audience."""


def _describe(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> FlowResponse:
    return flow_response(describe_flow(ports, workspace, flow))


@endpoint(
    blueprint,
    "POST /v1/flows",
    response=FlowResponse,
    status=201,
    scope=Scope.WRITE,
    body=NewFlow,
    also_bare=True,
    idempotent=True,
)
def post_flow(call: Call[NewFlow, NoBody]) -> ApiResponse[FlowResponse]:
    """Create and queue a flow, or with `"status": "draft"` only create it."""
    flow = call.made_before(Flow) or create_flow(call.ports, call.workspace, call.body, uid=call.reserved_uid)
    return respond(_describe(call.ports, call.workspace, flow), "Flow created", 201)


@endpoint(
    blueprint, "GET /v1/flows", response=FlowSummaryResponse, form=ResponseForm.PAGE, query=FlowFilter, also_bare=True
)
def get_flows(call: Call[NoBody, FlowFilter]) -> ApiResponse[FlowSummaryResponse]:
    """List flows, newest first."""
    query = call.query
    contact = query.contact_uid or query.identity_uid
    if query.contact_uid and query.identity_uid and query.contact_uid != query.identity_uid:
        raise invalid("identityUid", "contactUid and identityUid are two names of one filter, and differ")
    page = _flows_of_contact(call, contact) if contact else _flows(call)
    shown = Page(tuple(flow_summary(flow) for flow in page.items), page.cursor)
    return respond_page(call, shown)


def _marks(query: FlowFilter) -> dict[str, str]:
    wanted = {"channelUid": query.channel_uid, "campaignUid": query.campaign_uid, "status": query.status}
    return {name: str(value) for name, value in wanted.items() if value is not None}


def _flows(call: Call[NoBody, FlowFilter]) -> Page[Flow]:
    return call.ports.catalog.page(call.workspace, Flow, _marks(call.query), call.query.limit, call.cursor)


def _flows_of_contact(call: Call[NoBody, FlowFilter], contact: str) -> Page[Flow]:
    """Filter the flows of a contact in memory, because they are few."""
    wanted = _marks(call.query)
    fitting = [
        flow
        for flow in flows_of_contact(call.ports, call.workspace, contact)
        if all(flow.filter_attributes().get(name) == value for name, value in wanted.items())
    ]
    return page_of_list(fitting, call.query.limit, call.cursor)


@endpoint(blueprint, "GET /v1/flows/{uid}", response=FlowResponse, also_bare=True)
def get_flow(call: Call[NoBody, NoBody]) -> ApiResponse[FlowResponse]:
    """Return a flow with its statistics."""
    flow = call.ports.catalog.get(call.workspace, Flow, call.uid)
    return respond(_describe(call.ports, call.workspace, flow), "Flow")


@endpoint(blueprint, "PATCH /v1/flows/{uid}", response=FlowResponse, scope=Scope.WRITE, body=FlowChange, also_bare=True)
def patch_flow(call: Call[FlowChange, NoBody]) -> ApiResponse[FlowResponse]:
    """Start, pause, resume or cancel a flow, or change its description or configuration."""
    flow = change_flow(call.ports, call.workspace, call.uid, call.body)
    return respond(_describe(call.ports, call.workspace, flow), f"Flow is {flow.status}")


@endpoint(blueprint, "DELETE /v1/flows/{uid}", response=NoData, scope=Scope.WRITE, also_bare=True)
def remove_flow(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Delete a flow. 409 while it is running or queued."""
    delete_flow(call.ports, call.workspace, call.uid)
    return respond_done("Flow deleted")


@endpoint(
    blueprint,
    "POST /v1/flows/{uid}/contacts",
    response=ContactsAddedResponse,
    scope=Scope.WRITE,
    body=MoreContacts,
    also_bare=True,
    idempotent=True,
)
def post_flow_contacts(call: Call[MoreContacts, NoBody]) -> ApiResponse[ContactsAddedResponse]:
    """Add contacts to a draft or queued flow."""
    done = add_contacts(call.ports, call.workspace, call.uid, call.body.contact_uids)
    response = ContactsAddedResponse(
        uid=done.flow.uid,
        contact_count=done.flow.contact_count,
        added=done.added,
        duplicates_removed=done.duplicates,
    )
    return respond(response, f"{done.added} contacts added")


@endpoint(
    blueprint,
    "POST /v1/flows/{uid}/recount",
    response=FlowResponse,
    also_status=202,
    scope=Scope.WRITE,
    also_bare=True,
    idempotent=True,
)
def post_recount(call: Call[NoBody, NoBody]) -> ApiResponse[FlowResponse]:
    """Recount the statistics: a small flow at once, a large one in the background."""
    flow = call.ports.catalog.get(call.workspace, Flow, call.uid)
    if flow.shards > 1:
        request_recount(call.ports, call.workspace, flow)
        return respond(_describe(call.ports, call.workspace, flow), "Recount started", 202)
    recounted = recount_now(call.ports, call.workspace, flow)
    return respond(_describe(call.ports, call.workspace, recounted), "Flow recounted")


@endpoint(
    blueprint,
    "POST /v1/flows/{uid}/retry",
    response=FlowResponse,
    status=201,
    scope=Scope.WRITE,
    body=RetryRequest,
    also_bare=True,
    idempotent=True,
)
def post_retry(call: Call[RetryRequest, NoBody]) -> ApiResponse[FlowResponse]:
    """Start a new flow for the contacts with failed, unknown or skipped messages."""
    known = call.made_before(Flow)
    flow = known or retry_flow(call.ports, call.workspace, call.uid, call.body, call.reserved_uid)
    return respond(_describe(call.ports, call.workspace, flow), "Retry created", 201)


@endpoint(
    blueprint,
    "GET /v1/flows/{uid}/executions",
    response=ExecutionResponse,
    form=ResponseForm.PAGE,
    query=ExecutionFilter,
    also_bare=True,
)
def get_executions(call: Call[NoBody, ExecutionFilter]) -> ApiResponse[ExecutionResponse]:
    """List executions. A filtered page may be short and still have a next page."""
    flow = call.ports.catalog.get(call.workspace, Flow, call.uid)
    query = call.query
    is_filtered = query.status or query.node_id or query.reason or query.stuck
    keep = (lambda row: _fits(row, query, call.ports)) if is_filtered else None
    page = list_executions(call.ports, call.workspace, flow, keep, query.limit, call.cursor)
    return respond_page(call, Page(tuple(execution_response(row) for row in page.items), page.cursor))


def _fits(row: Execution, query: ExecutionFilter, ports: Ports) -> bool:
    if query.status and row.status is not query.status:
        return False
    if query.stuck and not is_overdue(row, ports):
        return False
    node = NodeId(query.node_id) if query.node_id else None
    result = row.results.get(node) if node else None
    if node and row.node != node and result is None:
        return False
    if query.reason is None:
        return True
    reasons = {row.reason} | {each.reason for each in ([result] if result else row.results.values())}
    return query.reason in reasons


@endpoint(
    blueprint,
    "GET /v1/flows/{uid}/executions/{contact_uid}",
    response=ExecutionDetailResponse,
    query=EntryQuery,
    also_bare=True,
)
def get_one_execution(call: Call[NoBody, EntryQuery]) -> ApiResponse[ExecutionDetailResponse]:
    """Return an execution: state, current step, reason, next step with its time, and history."""
    flow = call.ports.catalog.get(call.workspace, Flow, call.uid)
    row = get_execution(call.ports, call.workspace, flow, call.path["contact_uid"], call.query.entry)
    return respond(execution_detail(row), "Execution")
