"""Makes a flow: one run of a campaign over contacts, as a draft or started at once."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chalicelib.errors import Conflict, InvalidRequest, Problem, invalid
from chalicelib.model.base import Outside, Uid
from chalicelib.model.campaign import Availability, Campaign, ContactUids
from chalicelib.model.channel import Channel
from chalicelib.model.flow import CONTACTS_PER_SHARD, MAX_SHARDS, Flow, FlowConfiguration, FlowStatus, RetryOf
from chalicelib.model.ids import ContactUid, WorkspaceUid, new_uid
from chalicelib.ports import Ports
from chalicelib.usecases.examine_campaign import examine_campaign
from chalicelib.usecases.start_flow import expand_rest, start_flow

#: Entries of one stored part of an audience: 2,000 ids of 64 characters stay far below DynamoDB's 400 KB an item.
CHUNK = 2_000
#: api.md: up to this many unknown contacts are listed and refused; with more, they are skipped one by one.
MAX_LISTED = 1_000


class NewFlow(Outside):
    """The body of `POST /v1/flows`."""

    channel_uid: Uid
    campaign_uid: Uid
    contact_uids: ContactUids | None = None
    segment_uid: Uid | None = None
    description: Annotated[str, Field(max_length=2_000)] = ""
    configuration: FlowConfiguration | None = None
    status: Literal["draft", "queued", "running"] = "queued"

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        if (self.contact_uids is None) == (self.segment_uid is None):
            raise ValueError("name either contactUids or segmentUid")
        return self


def create_flow(ports: Ports, workspace: WorkspaceUid, wish: NewFlow, trigger: str = "api") -> Flow:
    """InvalidRequest with every problem at once, Conflict when the campaign takes no new flows."""
    campaign = _check(ports, workspace, wish)
    contacts = tuple(dict.fromkeys(wish.contact_uids or ()))
    _check_contacts(ports, workspace, contacts)
    flow = _draft(ports, wish, campaign, trigger).model_copy(
        update={"duplicates_removed": len(wish.contact_uids or ()) - len(contacts)}
    )
    flow = add_flow(ports, workspace, flow, contacts)
    return flow if wish.status == "draft" else start_flow(ports, workspace, flow)


def add_flow(ports: Ports, workspace: WorkspaceUid, flow: Flow, entries: Sequence[str]) -> Flow:
    """Stores a new flow; its audience first, so that there never is a flow with half of one."""
    chunks = [entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK)]
    for number, chunk in enumerate(chunks):
        ports.catalog.put_chunk(workspace, Flow, flow.uid, number, chunk)
    shards = max(1, min(MAX_SHARDS, -(-len(entries) // CONTACTS_PER_SHARD)))
    sized = flow.model_copy(update={"contact_count": len(entries), "chunks": len(chunks), "shards": shards})
    ports.catalog.add(workspace, sized, under=(Campaign, flow.campaign_uid))
    return sized


def _draft(ports: Ports, wish: NewFlow, campaign: Campaign, trigger: str) -> Flow:
    now = ports.clock.now()
    return Flow(
        uid=new_uid(),
        created_at=now,
        updated_at=now,
        description=wish.description,
        channel_uid=wish.channel_uid,
        campaign_uid=wish.campaign_uid,
        trigger=trigger,
        configuration=wish.configuration or campaign.configuration,
    )


def retry_draft(ports: Ports, of: Flow, retry: RetryOf) -> Flow:
    """A new flow of the same campaign version, over some of the contacts of another one."""
    now = ports.clock.now()
    return Flow(
        uid=new_uid(),
        created_at=now,
        updated_at=now,
        description=f"Retry ({retry.of}) of {of.description or of.uid}"[:2_000],
        channel_uid=of.channel_uid,
        campaign_uid=of.campaign_uid,
        campaign_version=of.campaign_version,
        trigger="retry",
        retry_of=retry,
        configuration=of.configuration,
    )


def _check(ports: Ports, workspace: WorkspaceUid, wish: NewFlow) -> Campaign:
    campaign = ports.catalog.find(workspace, Campaign, wish.campaign_uid)
    channel = ports.catalog.find(workspace, Channel, wish.channel_uid)
    problems = []
    if campaign is None:
        problems.append(Problem("campaignUid", f"Campaign {wish.campaign_uid} was not found"))
    if channel is None:
        problems.append(Problem("channelUid", f"Channel {wish.channel_uid} was not found"))
    if wish.segment_uid:
        problems.append(Problem("segmentUid", f"Segment {wish.segment_uid} was not found"))
    if campaign is None or problems:
        raise InvalidRequest(problems)
    short = campaign.short_form
    if short and short.channel_uid != wish.channel_uid:
        raise invalid("channelUid", f"This campaign is sent by channel {short.channel_uid}")
    if campaign.availability is not Availability.ACTIVE:
        raise Conflict(
            f"The campaign is {campaign.availability} and starts no new flows", campaign.availability, ["ACTIVE"]
        )
    found = examine_campaign(ports, workspace, campaign, wish.channel_uid).problems
    if found:
        about = [Problem(f"campaign.{problem.field}", problem.message) for problem in found]
        raise InvalidRequest(about, "The campaign cannot be launched as it is")
    return campaign


def _check_contacts(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[str]) -> None:
    known = ports.contacts.find_many(workspace, [ContactUid(uid) for uid in contacts], strong=False)
    unknown = [uid for uid in contacts if uid not in known]
    if unknown and len(unknown) <= MAX_LISTED:
        raise InvalidRequest(
            [Problem("contactUids", f"Contact {uid} was not found") for uid in unknown],
            f"{len(unknown)} of the contacts were not found",
        )


def add_contacts(ports: Ports, workspace: WorkspaceUid, uid: str, contacts: ContactUids) -> tuple[Flow, int]:
    """More contacts for a flow that has not begun; the flow, and how many of them it had already."""
    flow = ports.catalog.get(workspace, Flow, uid)
    if flow.status not in {FlowStatus.DRAFT, FlowStatus.QUEUED} or flow.is_expanded:
        raise Conflict("Contacts can be added while a flow is draft or queued", flow.status, ["draft", "queued"])
    unique = tuple(dict.fromkeys(contacts))
    _check_contacts(ports, workspace, unique)
    known: set[str] = set()
    for number in range(flow.chunks):
        known.update(ports.catalog.get_chunk(workspace, Flow, uid, number))
    new = [contact for contact in unique if contact not in known]
    changed = _grown(ports, workspace, flow, new, len(contacts) - len(new))
    return changed, len(contacts) - len(new)


def _grown(ports: Ports, workspace: WorkspaceUid, flow: Flow, new: Sequence[str], duplicates: int) -> Flow:
    chunks = [new[start : start + CHUNK] for start in range(0, len(new), CHUNK)]
    for offset, chunk in enumerate(chunks):
        ports.catalog.put_chunk(workspace, Flow, flow.uid, flow.chunks + offset, chunk)
    count = flow.contact_count + len(new)
    # Rows that are enrolled already stay where they are: the number of shards is fixed by the first start.
    shards = flow.shards if flow.epoch else max(1, min(MAX_SHARDS, -(-count // CONTACTS_PER_SHARD)))
    changes = {
        "contact_count": count,
        "chunks": flow.chunks + len(chunks),
        "shards": shards,
        "duplicates_removed": flow.duplicates_removed + duplicates,
        "updated_at": ports.clock.now(),
    }
    saved = ports.catalog.save(workspace, flow.model_copy(update=changes))
    if saved.status is FlowStatus.QUEUED:
        expand_rest(ports, workspace, saved)
    return saved
