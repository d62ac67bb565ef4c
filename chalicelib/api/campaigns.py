"""Routes of campaigns, with and without `/v1`."""

from functools import cache
from typing import Annotated, Any

from chalice.app import Blueprint
from pydantic import ConfigDict, Field

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
from chalicelib.api.http.idempotency import HEADER as IDEMPOTENCY_KEY
from chalicelib.api.http.lists import page_of_list
from chalicelib.api.responses.campaigns import (
    CampaignResponse,
    CampaignStatusResponse,
    CampaignSummaryResponse,
    ControlResponse,
    GraphNodeResponse,
    GraphResponse,
    LaunchResponse,
    TriggerResponse,
    ValidationResponse,
    VersionSummaryResponse,
    campaign_response,
    campaign_status,
    campaign_summary,
    launch_response,
    validation_response,
    version_summary,
)
from chalicelib.api.responses.forecasts import EstimateResponse, TestRunResponse, describe_test_run, estimate_response
from chalicelib.api.responses.registries import NodeTypeResponse
from chalicelib.core.campaigns.campaign_state import campaign_state
from chalicelib.core.campaigns.compiler import mermaid
from chalicelib.core.campaigns.publish_campaign import get_version
from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.core.campaigns.validate_trigger import check_trigger
from chalicelib.core.launching.control_campaign import control_campaign, deciding_flow, state_of
from chalicelib.core.launching.edit_campaign import (
    CampaignChanges,
    CampaignFields,
    create_campaign,
    delete_campaign,
    update_campaign,
)
from chalicelib.core.launching.estimate_campaign import estimate_campaign
from chalicelib.core.launching.launch_campaign import LaunchRequest, launch_campaign
from chalicelib.core.launching.republish_campaign import republish_campaign
from chalicelib.core.launching.schedule_campaign import drafted_starts
from chalicelib.core.launching.start_test_run import start_test_run
from chalicelib.core.launching.trigger_campaign import TriggerRequest, trigger_campaign
from chalicelib.core.reporting.describe_flow import describe_flow
from chalicelib.errors import NotFound
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.campaign import Availability, Campaign, CampaignState, CampaignVersion
from chalicelib.model.flow import FlowStatus
from chalicelib.model.workspace import Scope
from chalicelib.nodes.registry import NODE_TYPES
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class CampaignFilter(ListQuery):
    """Filters of the campaign list."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only campaigns whose name contains this text, in any case."""
    state: CampaignState | None = None
    """Only campaigns in this state; a page may be short."""
    availability: Availability | None = None
    """Only campaigns with this availability."""
    channel_uid: Uid | None = None
    """Only campaigns that name this channel."""


class RehearsalRequest(StrictModel):
    """The body of `test-run`."""

    contact_uid: Uid
    """Contact whose path is calculated."""
    channel_uid: Uid | None = None
    """Channel of the SEND steps that name none."""


class EstimateRequest(StrictModel):
    """The body of `estimate`."""

    channel_uid: Uid | None = None
    """Channel of the SEND steps that name none."""


#: Campaigns read for one page of a list by `state`. Each needs a read of its flows.
_MOST_READ = 300


def _show_name_needed(schema: dict[str, Any]) -> None:
    """Accept a missing name here. The use case reports it together with all other problems."""
    schema["required"] = ["name"]
    schema["properties"]["name"] = next(each for each in schema["properties"]["name"]["anyOf"] if "minLength" in each)


class NewCampaign(CampaignFields):
    """A campaign to create: its name, and `steps` or the short form."""

    model_config = ConfigDict(json_schema_extra=_show_name_needed)


@endpoint(
    blueprint,
    "POST /v1/campaigns",
    response=CampaignResponse,
    status=201,
    scope=Scope.WRITE,
    body=NewCampaign,
    also_bare=True,
    idempotent=True,
)
def post_campaign(call: Call[NewCampaign, NoBody]) -> ApiResponse[CampaignResponse]:
    """Create a campaign as a draft."""
    campaign = create_campaign(call.ports, call.workspace, call.body)
    return respond(campaign_response(campaign, CampaignState.DRAFT), "Campaign created", 201)


@endpoint(
    blueprint,
    "GET /v1/campaigns",
    response=CampaignSummaryResponse,
    form=ResponseForm.PAGE,
    query=CampaignFilter,
    also_bare=True,
)
def get_campaigns(call: Call[NoBody, CampaignFilter]) -> ApiResponse[CampaignSummaryResponse]:
    """List campaigns, newest first. A page that is filtered by `state` may be short."""
    found: list[tuple[Campaign, CampaignState]] = []
    looked_at, cursor = 0, call.cursor
    while True:
        page = _page(call, call.query.limit - len(found), cursor)
        pairs = [(each, state_of(call.ports, call.workspace, each)) for each in page.items]
        found += [pair for pair in pairs if call.query.state in {None, pair[1]}]
        looked_at, cursor = looked_at + len(pairs), page.cursor
        if cursor is None or len(found) >= call.query.limit or looked_at >= _MOST_READ:
            return respond_page(call, Page(tuple(campaign_summary(*pair) for pair in found), cursor))


def _page(call: Call[NoBody, CampaignFilter], limit: int, cursor: str | None) -> Page[Campaign]:
    query = call.query
    wanted = {
        "name": f"*{query.name.casefold()}*" if query.name else None,
        "availability": query.availability,
        "channelUid": f"*|{query.channel_uid}|*" if query.channel_uid else None,
    }
    marks = {name: str(value) for name, value in wanted.items() if value is not None}
    return call.ports.catalog.page(call.workspace, Campaign, marks, limit, cursor)


@endpoint(blueprint, "GET /v1/campaigns/{uid}", response=CampaignResponse, also_bare=True)
def get_campaign(call: Call[NoBody, NoBody]) -> ApiResponse[CampaignResponse]:
    """Return a campaign with its draft and its state."""
    campaign = call.ports.catalog.get(call.workspace, Campaign, call.uid)
    return respond(campaign_response(campaign, state_of(call.ports, call.workspace, campaign)), "Campaign")


@endpoint(
    blueprint,
    "PATCH /v1/campaigns/{uid}",
    response=CampaignResponse,
    scope=Scope.WRITE,
    body=CampaignChanges,
    also_bare=True,
)
def patch_campaign(call: Call[CampaignChanges, NoBody]) -> ApiResponse[CampaignResponse]:
    """Change the draft. Running flows keep their version. 409 if `rev` is outdated."""
    campaign = update_campaign(call.ports, call.workspace, call.uid, call.body)
    return respond(campaign_response(campaign, state_of(call.ports, call.workspace, campaign)), "Campaign changed")


@endpoint(blueprint, "DELETE /v1/campaigns/{uid}", response=NoData, scope=Scope.WRITE, also_bare=True)
def remove_campaign(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Delete a campaign. 409 while one of its flows is open."""
    delete_campaign(call.ports, call.workspace, call.uid)
    return respond_done("Campaign deleted")


@endpoint(blueprint, "POST /v1/campaigns/{uid}/validate", response=ValidationResponse, also_bare=True, idempotent=False)
def post_validate(call: Call[NoBody, NoBody]) -> ApiResponse[ValidationResponse]:
    """Return all problems of the draft with their fields. Warnings do not prevent a launch."""
    campaign = call.ports.catalog.get(call.workspace, Campaign, call.uid)
    found = validate_campaign(call.ports, call.workspace, campaign)
    of_trigger = check_trigger(call.ports, call.workspace, campaign)
    problems = (*found.problems, *of_trigger)
    starts = () if problems else drafted_starts(call.ports, call.workspace, campaign)
    shown = validation_response(problems, found.warnings, campaign, starts)
    return respond(shown, "The draft has problems" if problems else "The draft is valid")


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/estimate",
    response=EstimateResponse,
    body=EstimateRequest,
    also_bare=True,
    idempotent=False,
)
def post_estimate(call: Call[EstimateRequest, NoBody]) -> ApiResponse[EstimateResponse]:
    """Estimate the reachable contacts, the reasons why others are not, the cost and the duration."""
    estimate = estimate_campaign(call.ports, call.workspace, call.uid, call.body.channel_uid)
    return respond(estimate_response(estimate), "Estimate")


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/publish",
    response=CampaignVersion,
    scope=Scope.WRITE,
    also_bare=True,
    idempotent=True,
)
def post_publish(call: Call[NoBody, NoBody]) -> ApiResponse[CampaignVersion]:
    """Publish the draft as the next immutable version. An unchanged draft keeps the newest version."""
    version = republish_campaign(call.ports, call.workspace, call.uid)
    return respond(version, f"Version {version.version} is published")


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/launch",
    response=LaunchResponse,
    status=202,
    scope=Scope.WRITE,
    body=LaunchRequest,
    also_bare=True,
    idempotent=True,
)
def post_launch(call: Call[LaunchRequest, NoBody]) -> ApiResponse[LaunchResponse]:
    """Publish and launch a campaign: start it now, on its schedule or by events, as its trigger says."""
    return respond(
        launch_response(launch_campaign(call.ports, call.workspace, call.uid, call.body)), "Campaign launched", 202
    )


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/trigger",
    response=TriggerResponse,
    status=202,
    scope=Scope.WRITE,
    body=TriggerRequest,
    also_bare=True,
    idempotent=True,
)
def post_trigger(call: Call[TriggerRequest, NoBody]) -> ApiResponse[TriggerResponse]:
    """Start a flow of a campaign with a manual or API trigger."""
    key = call.body.idempotency_key or (call.headers.get(IDEMPOTENCY_KEY) if call.reserved_uid else None)
    request = call.body.model_copy(update={"idempotency_key": key})
    flow = trigger_campaign(call.ports, call.workspace, call.uid, request)
    return respond(TriggerResponse(flow_uid=flow.uid, status=flow.status), "Campaign triggered", 202)


def _move(call: Call[NoBody, NoBody], wanted: FlowStatus, message: str) -> ApiResponse[ControlResponse]:
    moved = control_campaign(call.ports, call.workspace, call.uid, wanted)
    state = state_of(call.ports, call.workspace, moved.campaign)
    in_flight = describe_flow(call.ports, call.workspace, moved.flow).in_flight if moved.flow else 0
    return respond(
        ControlResponse(status=state, flow_uid=moved.flow.uid if moved.flow else None, in_flight=in_flight), message
    )


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/pause",
    response=ControlResponse,
    scope=Scope.WRITE,
    also_bare=True,
    idempotent=True,
)
def post_pause(call: Call[NoBody, NoBody]) -> ApiResponse[ControlResponse]:
    """Pause a campaign. After the response no new send starts; it states how many are in flight."""
    return _move(call, FlowStatus.PAUSED, "Campaign paused")


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/resume",
    response=ControlResponse,
    scope=Scope.WRITE,
    also_bare=True,
    idempotent=True,
)
def post_resume(call: Call[NoBody, NoBody]) -> ApiResponse[ControlResponse]:
    """Resume a campaign in any of the three PAUSED states."""
    return _move(call, FlowStatus.RUNNING, "Campaign resumed")


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/cancel",
    response=ControlResponse,
    scope=Scope.WRITE,
    also_bare=True,
    idempotent=True,
)
def post_cancel(call: Call[NoBody, NoBody]) -> ApiResponse[ControlResponse]:
    """Cancel a campaign. Open executions are skipped with the reason `cancelled`."""
    return _move(call, FlowStatus.CANCELLED, "Campaign cancelled")


@endpoint(blueprint, "GET /v1/campaigns/{uid}/status", response=CampaignStatusResponse, also_bare=True)
def get_status(call: Call[NoBody, NoBody]) -> ApiResponse[CampaignStatusResponse]:
    """Return the state, the flow, executions and messages by state, counters per node, and the cost."""
    campaign = call.ports.catalog.get(call.workspace, Campaign, call.uid)
    flow = deciding_flow(call.ports, call.workspace, call.uid)
    described = describe_flow(call.ports, call.workspace, flow) if flow else None
    state = campaign_state(flow, campaign.schedule)
    return respond(campaign_status(state, described, campaign), "Campaign status")


@endpoint(
    blueprint,
    "GET /v1/campaigns/{uid}/versions",
    response=VersionSummaryResponse,
    form=ResponseForm.PAGE,
    query=ListQuery,
    also_bare=True,
)
def get_versions(call: Call[NoBody, ListQuery]) -> ApiResponse[VersionSummaryResponse]:
    """List the published versions, newest first."""
    call.ports.catalog.get(call.workspace, Campaign, call.uid)
    found = call.ports.versions.list_versions(call.workspace, Campaign, call.uid, CampaignVersion)
    page = page_of_list([version_summary(each) for each in found], call.query.limit, call.cursor)
    return respond_page(call, page, total=len(found))


@endpoint(blueprint, "GET /v1/campaigns/{uid}/versions/{version}", response=CampaignVersion, also_bare=True)
def get_one_version(call: Call[NoBody, NoBody]) -> ApiResponse[CampaignVersion]:
    """Return a published version."""
    number = call.path["version"]
    if not number.isdecimal() or len(number) > 6:
        raise NotFound("Campaign version", number)
    return respond(get_version(call.ports, call.workspace, call.uid, int(number)), "Campaign version")


@endpoint(blueprint, "GET /v1/campaigns/{uid}/graph", response=GraphResponse, also_bare=True)
def get_graph(call: Call[NoBody, NoBody]) -> ApiResponse[GraphResponse]:
    """Return the compiled draft and its Mermaid text."""
    campaign = call.ports.catalog.get(call.workspace, Campaign, call.uid)
    graph = validate_campaign(call.ports, call.workspace, campaign).graph
    nodes = tuple(
        GraphNodeResponse(id=node.id, type=node.step.type, name=node.step.name, exits=dict(node.exits))
        for node in graph
    )
    return respond(GraphResponse(start=graph.start, nodes=nodes, mermaid=mermaid(graph)), "Graph")


@endpoint(blueprint, "GET /v1/node-types", response=NodeTypeResponse, form=ResponseForm.PAGE)
def get_node_types(call: Call[NoBody, NoBody]) -> ApiResponse[NodeTypeResponse]:
    """List the step types with the JSON Schemas of their fields."""
    types = _node_types()
    return respond_page(call, Page(types), total=len(types))


@cache
def _node_types() -> tuple[NodeTypeResponse, ...]:
    """Return the node types. They are cached, because Pydantic takes some 15 ms of CPU for their schemas."""
    return tuple(
        NodeTypeResponse(type=str(each.model_fields["type"].default), schema_=each.model_json_schema(mode="validation"))
        for each in NODE_TYPES
    )


@endpoint(
    blueprint,
    "POST /v1/campaigns/{uid}/test-run",
    response=TestRunResponse,
    body=RehearsalRequest,
    also_bare=True,
    idempotent=False,
)
def post_test_run(call: Call[RehearsalRequest, NoBody]) -> ApiResponse[TestRunResponse]:
    """Simulate the campaign for a contact without sending: path, times, and skipped messages with their reasons."""
    request = call.body
    run = start_test_run(call.ports, call.workspace, call.uid, request.contact_uid, request.channel_uid)
    return respond(describe_test_run(run), "Test run")
