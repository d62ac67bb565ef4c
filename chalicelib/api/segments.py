"""Routes of segments."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import ApiResponse, Call, ListQuery, NoBody, dump, endpoint, respond, respond_page
from chalicelib.core.segments.edit_segment import create_segment, delete_segment, update_segment
from chalicelib.core.segments.filter import Finding
from chalicelib.core.segments.preview_segment import Explained, SegmentPreview, SegmentPreviewRequest, preview_segment
from chalicelib.model.base import StrictModel, rfc3339
from chalicelib.model.segment import MAX_BYTES, MAX_VALUES, Segment, SegmentFields, SegmentFilter
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class SegmentChanges(StrictModel):
    """What PATCH may change; what is not named stays."""

    max_bytes: ClassVar[int] = MAX_BYTES
    max_values: ClassVar[int] = MAX_VALUES

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    description: Annotated[str, Field(max_length=2_000)] = ""
    filter: SegmentFilter | None = None


class SegmentQuery(ListQuery):
    """`name` is a part of the name, in any case."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@endpoint(blueprint, "POST /v1/segments", scope=Scope.WRITE, body=SegmentFields, idempotent=True)
def post_segment(call: Call[SegmentFields, NoBody]) -> ApiResponse:
    """Saves a filter under a name."""
    return respond(create_segment(call.ports, call.workspace, call.body), "Segment created", 201)


@endpoint(blueprint, "GET /v1/segments", query=SegmentQuery)
def list_segments(call: Call[NoBody, SegmentQuery]) -> ApiResponse:
    """Newest first, without their filters."""
    asked = call.query
    where = {"name": f"*{asked.name.casefold()}*"} if asked.name else {}
    page = call.ports.catalog.page(call.workspace, Segment, where, asked.limit, call.cursor)
    return respond_page(call, Page(tuple(_summarise(segment) for segment in page.items), page.cursor))


@endpoint(blueprint, "POST /v1/segments/preview", body=SegmentPreviewRequest, idempotent=False)
def post_preview(call: Call[SegmentPreviewRequest, NoBody]) -> ApiResponse:
    """How many contacts a filter finds, ten of them, and why a given contact is found or not."""
    return respond(_show_preview(preview_segment(call.ports, call.workspace, call.body)), "Preview")


@endpoint(blueprint, "GET /v1/segments/{uid}")
def get_segment(call: Call[NoBody, NoBody]) -> ApiResponse:
    """One segment."""
    return respond(call.ports.catalog.get(call.workspace, Segment, call.uid), "Segment")


@endpoint(blueprint, "PATCH /v1/segments/{uid}", scope=Scope.WRITE, body=SegmentChanges)
def patch_segment(call: Call[SegmentChanges, NoBody]) -> ApiResponse:
    """Flows that have begun keep the filter with which they did."""
    changes = {name: value for name in call.body.model_fields_set if (value := getattr(call.body, name)) is not None}
    return respond(update_segment(call.ports, call.workspace, call.uid, changes), "Segment changed")


@endpoint(blueprint, "DELETE /v1/segments/{uid}", scope=Scope.WRITE)
def remove_segment(call: Call[NoBody, NoBody]) -> ApiResponse:
    """409 while a campaign or an open flow uses it."""
    delete_segment(call.ports, call.workspace, call.uid)
    return respond(None, "Segment deleted")


def _summarise(segment: Segment) -> Mapping[str, object]:
    """As a hundred of them fit Lambda's answer of 6 MB."""
    return {name: value for name, value in dump(segment).items() if name != "filter"}


def _show_preview(preview: SegmentPreview) -> Mapping[str, object]:
    counted = preview.counted
    return {
        "count": counted.members_found.count,
        "error": counted.members_found.error,
        "exact": counted.is_exact,
        "contacts": counted.contacts,
        "samples": [dump(contact) for contact in counted.members],
        "contact": _show_explained(preview.explained) if preview.explained else None,
    }


def _show_explained(explained: Explained) -> Mapping[str, object]:
    shown = [_show_finding(finding) for finding in explained.findings]
    return {"contactUid": explained.contact_uid, "matches": explained.matches, "comparisons": shown}


def _show_finding(finding: Finding) -> Mapping[str, object]:
    return {
        "path": finding.path,
        "comparison": finding.leaf.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "found": _show_found(finding.found),
        "holds": finding.holds,
        "decides": finding.decides,
    }


def _show_found(found: object) -> object:
    if isinstance(found, datetime):
        return rfc3339(found)
    return found.isoformat() if isinstance(found, date) else found
