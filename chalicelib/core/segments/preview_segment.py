"""Preview a filter: the number of members, some members, and the explanation for one contact."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import model_validator

from chalicelib.core.contacts.load_history import load_event_history
from chalicelib.core.segments.count_members import Counted, count_members
from chalicelib.core.segments.filter import Finding, compile_filter, explain
from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.comparison import Comparison
from chalicelib.model.conditions import required_events
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.segment import MAX_BYTES, MAX_VALUES, Segment, SegmentFilter
from chalicelib.ports import Ports

#: With the last page the preview stays below 5 s. API Gateway ends requests after 29 s.
TIME = timedelta(seconds=3)


class SegmentPreviewRequest(StrictModel):
    """The body of `POST /v1/segments/preview`: a saved segment or a filter, and a contact to explain."""

    max_bytes: ClassVar[int] = MAX_BYTES
    max_values: ClassVar[int] = MAX_VALUES

    segment_uid: Uid | None = None
    """Saved segment to preview; not together with `filter`."""
    filter: SegmentFilter | None = None
    """Filter to preview; not together with `segmentUid`."""
    contact_uid: Uid | None = None
    """Contact to explain the membership of."""

    @model_validator(mode="after")
    def _one_filter(self) -> Self:
        if (self.segment_uid is None) == (self.filter is None):
            raise ValueError("name either segmentUid or filter")
        return self


@dataclass(frozen=True, slots=True)
class Explained:
    """Membership of one contact, and the result of each comparison."""

    contact_uid: str
    matches: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SegmentPreview:
    """Result of a preview. `explained` is set when the request names a contact."""

    counted: Counted
    explained: Explained | None


def preview_segment(ports: Ports, workspace: WorkspaceUid, request: SegmentPreviewRequest) -> SegmentPreview:
    """Preview a segment or filter. Raise InvalidRequest with all problems when the segment or contact is not found."""
    segment = ports.catalog.find(workspace, Segment, request.segment_uid) if request.segment_uid else None
    tree = request.filter or (segment.filter if segment else None)
    contact = _find_contact(ports, workspace, request.contact_uid) if request.contact_uid else None
    problems = []
    if tree is None:
        problems.append(Problem("segmentUid", f"Segment {request.segment_uid} was not found"))
    if request.contact_uid and contact is None:
        problems.append(Problem("contactUid", f"Contact {request.contact_uid} was not found"))
    if tree is None or problems:
        raise InvalidRequest(problems)
    end = ports.clock.real() + TIME
    members = compile_filter(tree, ports.clock.now())
    counted = count_members(ports, workspace, members, lambda: end - ports.clock.real())
    return SegmentPreview(counted, _explain(ports, workspace, tree, contact) if contact else None)


def _find_contact(ports: Ports, workspace: WorkspaceUid, uid: str) -> Contact | None:
    return ports.contacts.find_many(workspace, [ContactUid(uid)], strong=True).get(ContactUid(uid))


def _explain(ports: Ports, workspace: WorkspaceUid, tree: Comparison, contact: Contact) -> Explained:
    names, now = required_events(tree), ports.clock.now()
    history = load_event_history(ports, workspace, contact, names) if names else ()
    matches = bool(compile_filter(tree, now).includes(contact, history))
    return Explained(contact.uid, matches, explain(tree, contact, history, now))
