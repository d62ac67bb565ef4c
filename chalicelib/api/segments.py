"""Routes of segments."""

from typing import Annotated, ClassVar

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
from chalicelib.api.responses.segments import SegmentPreviewResponse, SegmentSummary, preview_response
from chalicelib.core.segments.edit_segment import create_segment, delete_segment, update_segment
from chalicelib.core.segments.preview_segment import SegmentPreviewRequest, preview_segment
from chalicelib.model.base import StrictModel
from chalicelib.model.segment import MAX_BYTES, MAX_VALUES, Segment, SegmentFields, SegmentFilter
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class SegmentChanges(StrictModel):
    """The body of a segment change. Absent fields stay."""

    max_bytes: ClassVar[int] = MAX_BYTES
    max_values: ClassVar[int] = MAX_VALUES

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    """New name, 1 to 200 characters."""
    description: Annotated[str, Field(max_length=2_000)] = ""
    """New text for operators, at most 2,000 characters."""
    filter: SegmentFilter | None = None
    """New filter; running flows keep theirs."""


class SegmentQuery(ListQuery):
    """Filters of the segment list."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only segments whose name contains this text, in any case."""


@endpoint(
    blueprint, "POST /v1/segments", response=Segment, status=201, scope=Scope.WRITE, body=SegmentFields, idempotent=True
)
def post_segment(call: Call[SegmentFields, NoBody]) -> ApiResponse[Segment]:
    """Create a segment."""
    return respond(create_segment(call.ports, call.workspace, call.body), "Segment created", 201)


@endpoint(blueprint, "GET /v1/segments", response=SegmentSummary, form=ResponseForm.PAGE, query=SegmentQuery)
def list_segments(call: Call[NoBody, SegmentQuery]) -> ApiResponse[SegmentSummary]:
    """List segments without their filters, newest first."""
    asked = call.query
    where = {"name": f"*{asked.name.casefold()}*"} if asked.name else {}
    page = call.ports.catalog.page(call.workspace, Segment, where, asked.limit, call.cursor)
    return respond_page(
        call, Page(tuple(build_response(SegmentSummary, segment) for segment in page.items), page.cursor)
    )


@endpoint(
    blueprint,
    "POST /v1/segments/preview",
    response=SegmentPreviewResponse,
    body=SegmentPreviewRequest,
    idempotent=False,
)
def post_preview(call: Call[SegmentPreviewRequest, NoBody]) -> ApiResponse[SegmentPreviewResponse]:
    """Count the members of a filter, return ten of them, and explain the membership of a contact."""
    return respond(preview_response(preview_segment(call.ports, call.workspace, call.body)), "Preview")


@endpoint(blueprint, "GET /v1/segments/{uid}", response=Segment)
def get_segment(call: Call[NoBody, NoBody]) -> ApiResponse[Segment]:
    """Return a segment."""
    return respond(call.ports.catalog.get(call.workspace, Segment, call.uid), "Segment")


@endpoint(blueprint, "PATCH /v1/segments/{uid}", response=Segment, scope=Scope.WRITE, body=SegmentChanges)
def patch_segment(call: Call[SegmentChanges, NoBody]) -> ApiResponse[Segment]:
    """Change a segment. Started flows keep their filter."""
    changes = {name: value for name in call.body.model_fields_set if (value := getattr(call.body, name)) is not None}
    return respond(update_segment(call.ports, call.workspace, call.uid, changes), "Segment changed")


@endpoint(blueprint, "DELETE /v1/segments/{uid}", response=NoData, scope=Scope.WRITE)
def remove_segment(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Delete a segment. 409 while a campaign or an open flow uses it."""
    delete_segment(call.ports, call.workspace, call.uid)
    return respond_done("Segment deleted")
