"""Response models of segments."""

from collections.abc import Mapping

from pydantic import JsonValue

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.contact import Contact

Json = Mapping[str, JsonValue]


class SegmentSummary(StrictModel):
    """A segment in a list, without its filter."""

    uid: str
    created_at: Moment
    updated_at: Moment
    name: str
    description: str


class Explanation(StrictModel):
    """Whether a contact is a member, and what each comparison found."""

    contact_uid: str
    matches: bool
    comparisons: tuple[Json, ...]


class SegmentPreviewResponse(StrictModel):
    """`count` is `error` more or less, unless `exact`."""

    count: int
    error: int
    exact: bool
    contacts: int
    samples: tuple[Contact, ...]
    contact: Explanation | None
