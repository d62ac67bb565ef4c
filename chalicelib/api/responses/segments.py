"""Response models of segments."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import SerializerFunctionWrapHandler, WrapSerializer

from chalicelib.api.responses.build import build_response
from chalicelib.core.segments.filter import Finding
from chalicelib.core.segments.preview_segment import Explained, SegmentPreview
from chalicelib.model.base import Moment, StrictModel, rfc3339
from chalicelib.model.contact import Contact

Json = Mapping[str, object]


class SegmentSummary(StrictModel):
    """A segment in a list, without its filter."""

    uid: str
    """Identifier of the segment."""
    created_at: Moment
    """Time at which the segment was created."""
    updated_at: Moment
    """Time of the last change of the segment."""
    name: str
    """Name of the segment, 1 to 200 characters."""
    description: str
    """Free text for operators."""


class Explanation(StrictModel):
    """Whether a contact is a member, and what each comparison found."""

    contact_uid: str
    """Contact that is explained."""
    matches: bool
    """Whether the contact is a member of the segment."""
    comparisons: tuple[Json, ...]
    """Each comparison of the filter: its path, the value that was found, and whether it holds."""


def _without_rev(contact: Contact, dump: SerializerFunctionWrapHandler) -> object:
    return {name: value for name, value in dump(contact).items() if name != "rev"}


_WithoutRev = Annotated[Contact, WrapSerializer(_without_rev)]


class SegmentPreviewResponse(StrictModel):
    """`count` is `error` more or less, unless `exact`."""

    count: int
    """Number of members, exact or estimated."""
    error: int
    """95 % error of `count`, in contacts; 0 if it is exact."""
    exact: bool
    """Whether every contact was checked."""
    contacts: int
    """Number of contacts that were checked."""
    samples: tuple[_WithoutRev, ...]
    """Up to ten members."""
    contact: Explanation | None
    """Explanation for the contact that the request names; null if it names none."""


def preview_response(preview: SegmentPreview) -> SegmentPreviewResponse:
    """Return the result of a preview. The samples leave out `rev`, which only the store needs."""
    counted = preview.counted
    return build_response(
        SegmentPreviewResponse,
        count=counted.members_found.count,
        error=counted.members_found.error,
        exact=counted.is_exact,
        contacts=counted.contacts,
        samples=tuple(counted.members),
        contact=_explanation(preview.explained) if preview.explained else None,
    )


def _explanation(explained: Explained) -> Explanation:
    comparisons = tuple(_comparison(finding) for finding in explained.findings)
    return build_response(
        Explanation, contact_uid=explained.contact_uid, matches=explained.matches, comparisons=comparisons
    )


def _comparison(finding: Finding) -> Mapping[str, object]:
    return {
        "path": finding.path,
        "comparison": finding.leaf.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "found": _found(finding.found),
        "holds": finding.holds,
        "decides": finding.decides,
    }


def _found(found: object) -> object:
    if isinstance(found, datetime):
        return rfc3339(found)
    return found.isoformat() if isinstance(found, date) else found
