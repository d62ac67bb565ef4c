"""Routes of segments."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api._http import Answer, Call, ListQuery, Nothing, endpoint, many, one, shape
from chalicelib.core.segments.edit_segment import create_segment, delete_segment, update_segment
from chalicelib.core.segments.filter import Finding
from chalicelib.core.segments.preview_segment import Explained, Preview, PreviewWish, preview_segment
from chalicelib.model.base import Outside, rfc3339
from chalicelib.model.segment import MAX_BYTES, MAX_VALUES, Segment, SegmentFields, SegmentFilter
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class SegmentChanges(Outside):
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
def post_segment(call: Call[SegmentFields, Nothing]) -> Answer:
    """Saves a filter under a name."""
    return one(create_segment(call.ports, call.workspace, call.body), "Segment created", 201)


@endpoint(blueprint, "GET /v1/segments", query=SegmentQuery)
def list_segments(call: Call[Nothing, SegmentQuery]) -> Answer:
    """Newest first, without their filters."""
    asked = call.query
    where = {"name": f"*{asked.name.casefold()}*"} if asked.name else {}
    page = call.ports.catalog.page(call.workspace, Segment, where, asked.limit, call.cursor)
    return many(call, Page(tuple(_summarise(segment) for segment in page.items), page.cursor))


@endpoint(blueprint, "POST /v1/segments/preview", body=PreviewWish, idempotent=False)
def post_preview(call: Call[PreviewWish, Nothing]) -> Answer:
    """How many contacts a filter finds, ten of them, and why a given contact is found or not."""
    return one(_show_preview(preview_segment(call.ports, call.workspace, call.body)), "Preview")


@endpoint(blueprint, "GET /v1/segments/{uid}")
def get_segment(call: Call[Nothing, Nothing]) -> Answer:
    """One segment."""
    return one(call.ports.catalog.get(call.workspace, Segment, call.uid), "Segment")


@endpoint(blueprint, "PATCH /v1/segments/{uid}", scope=Scope.WRITE, body=SegmentChanges)
def patch_segment(call: Call[SegmentChanges, Nothing]) -> Answer:
    """Flows that have begun keep the filter with which they did."""
    changes = {name: value for name in call.body.model_fields_set if (value := getattr(call.body, name)) is not None}
    return one(update_segment(call.ports, call.workspace, call.uid, changes), "Segment changed")


@endpoint(blueprint, "DELETE /v1/segments/{uid}", scope=Scope.WRITE)
def remove_segment(call: Call[Nothing, Nothing]) -> Answer:
    """409 while a campaign or an open flow uses it."""
    delete_segment(call.ports, call.workspace, call.uid)
    return one(None, "Segment deleted")


def _summarise(segment: Segment) -> Mapping[str, object]:
    """As a hundred of them fit Lambda's answer of 6 MB."""
    return {name: value for name, value in shape(segment).items() if name != "filter"}


def _show_preview(preview: Preview) -> Mapping[str, object]:
    counted = preview.counted
    return {
        "count": counted.members_found.count,
        "error": counted.members_found.error,
        "exact": counted.is_exact,
        "contacts": counted.contacts,
        "samples": [shape(contact) for contact in counted.members],
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
