"""Create, update and delete segments."""

from collections.abc import Mapping
from functools import partial

from chalicelib.errors import Conflict
from chalicelib.model.campaign import Campaign
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.segment import Segment, SegmentFields
from chalicelib.ports import Ports, all_pages

_PAGE = 100


def create_segment(ports: Ports, workspace: WorkspaceUid, fields: SegmentFields) -> Segment:
    """Create a segment."""
    now = ports.clock.now()
    segment = Segment(uid=new_uid(), created_at=now, updated_at=now, **dict(fields))
    ports.catalog.add(workspace, segment)
    return segment


def update_segment(ports: Ports, workspace: WorkspaceUid, uid: str, changes: Mapping[str, object]) -> Segment:
    """Update a segment. `changes` uses Python names. Started flows keep the filter that they started with."""
    segment = ports.catalog.get(workspace, Segment, uid)
    changed = segment.model_copy(update=dict(changes))
    if changed == segment:
        return segment
    return ports.catalog.save(workspace, changed.model_copy(update={"updated_at": ports.clock.now()}))


def delete_segment(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Delete a segment. Raise Conflict while a campaign or an open flow uses it."""
    ports.catalog.get(workspace, Segment, uid)
    named = {"segmentUid": uid}
    for campaign in ports.catalog.page(workspace, Campaign, named, 1, None).items:
        raise Conflict(f"Campaign {campaign.uid} has this segment as its audience", "in_use", ["unused"])
    for flows in all_pages(partial(ports.catalog.page, workspace, Flow, named, _PAGE)):
        for flow in flows:
            if not flow.is_over:
                raise Conflict(f"Flow {flow.uid} over this segment is {flow.status}", "in_use", ["unused"])
    ports.catalog.remove(workspace, Segment, uid)
