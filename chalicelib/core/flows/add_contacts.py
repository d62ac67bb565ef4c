"""Add contacts to a flow that has not started."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.core.flows.create_flow import count_shards, split_into_chunks, unknown_contacts
from chalicelib.core.flows.start_flow import resume_enrolment
from chalicelib.errors import Conflict, InvalidRequest, RetryLater
from chalicelib.model.campaign import ContactUids
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Attempts of a read and conditional write against concurrent changes of the flow.
TRIES = 10


@dataclass(frozen=True, slots=True)
class Added:
    """The flow with its new contacts. `duplicates`: repeated in the request, or in the flow before."""

    flow: Flow
    added: int
    duplicates: int


def add_contacts(ports: Ports, workspace: WorkspaceUid, uid: str, contacts: ContactUids) -> Added:
    """Add contacts. Raises Conflict unless the flow is draft or queued, and InvalidRequest for unknown contacts."""
    _get_growing(ports, workspace, uid)
    unique = tuple(dict.fromkeys(contacts))
    unknown = unknown_contacts(ports, workspace, unique)
    if unknown:
        raise InvalidRequest(unknown, f"{len(unknown)} of the contacts were not found")
    for _ in range(TRIES):
        flow = _get_growing(ports, workspace, uid)
        new = _without_known(ports, workspace, flow, unique)
        duplicates = len(contacts) - len(new)
        parts = split_into_chunks(new)
        grown = _grown(ports, flow, len(new), len(parts), duplicates)
        try:
            saved = ports.chunks.save_with_chunks(workspace, grown, dict(enumerate(parts, start=flow.chunks)))
        except Conflict:
            continue
        if saved.status is FlowStatus.QUEUED:
            resume_enrolment(ports, workspace, saved)
        return Added(saved, len(new), duplicates)
    raise RetryLater("The flow was changed at the same time; try again")


def _get_growing(ports: Ports, workspace: WorkspaceUid, uid: str) -> Flow:
    flow = ports.catalog.get(workspace, Flow, uid)
    if flow.status not in {FlowStatus.DRAFT, FlowStatus.QUEUED} or flow.is_expanded:
        raise Conflict("Contacts can be added only while the flow is draft or queued", flow.status, ["draft", "queued"])
    if flow.segment_uid:
        raise Conflict("A flow over a segment contains the members of the segment; no others can be added")
    if flow.retry_of:
        raise Conflict("A retry contains contacts of the retried flow; no others can be added")
    return flow


def _without_known(ports: Ports, workspace: WorkspaceUid, flow: Flow, contacts: Sequence[str]) -> list[str]:
    known: set[str] = set()
    for number in range(flow.chunks):
        known.update(ports.chunks.get_chunk(workspace, Flow, flow.uid, number))
    return [contact for contact in contacts if contact not in known]


def _grown(ports: Ports, flow: Flow, new: int, parts: int, duplicates: int) -> Flow:
    shards = count_shards(flow.contact_count + new)
    return flow.with_more_contacts(new, parts, duplicates, shards, ports.clock.now())
