"""Create a flow: one run of a campaign over contacts, as a draft or started."""

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.core.flows.merge_configuration import ConfigurationChange, merge_configuration
from chalicelib.core.flows.start_flow import as_started, check_available, enqueue_enrolment, pin_version
from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.base import StoredDocument, StrictModel, Uid
from chalicelib.model.campaign import MAX_VALUES, Campaign, ContactUids
from chalicelib.model.channel import Channel
from chalicelib.model.flow import CONTACTS_PER_SHARD, MAX_SHARDS, Flow
from chalicelib.model.ids import ContactUid, WorkspaceUid, new_uid
from chalicelib.model.segment import Segment
from chalicelib.ports import Ports

#: Contacts per stored chunk of an audience. 2,000 ids of 64 characters stay well below DynamoDB's 400 KB per item.
CHUNK = 2_000
#: Up to this many unknown contacts are listed and refused. If there are more, each is skipped in the flow.
MAX_LISTED = 1_000


#: Raises Conflict if the flow must not start.
Check = Callable[[], None]


class NewFlow(StrictModel):
    """The body of `POST /v1/flows`."""

    max_values: ClassVar[int] = MAX_VALUES

    channel_uid: Uid
    """Channel of the SEND steps that name none."""
    campaign_uid: Uid
    """Campaign whose newest version the flow runs."""
    contact_uids: ContactUids | None = None
    """Contacts of the audience."""
    segment_uid: Uid | None = None
    """Segment that is the audience; not together with `contactUids`."""
    description: Annotated[str, Field(max_length=2_000)] = ""
    """Free text for operators."""
    configuration: ConfigurationChange | None = None
    """Pacing, retries and timeouts."""
    status: Literal["draft", "queued", "running"] = "queued"
    """`draft` creates the flow without starting it."""

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        if (self.contact_uids is None) == (self.segment_uid is None):
            raise ValueError("set exactly one of contactUids and segmentUid")
        return self


def create_flow(
    ports: Ports,
    workspace: WorkspaceUid,
    request: NewFlow,
    trigger: str = "api",
    alone: Check | None = None,
    uid: str | None = None,
) -> Flow:
    """Create a flow, and start it unless it is a draft.

    Raises InvalidRequest with all problems, and Conflict if the campaign starts no flows or the uid is in use. `alone`
    checks that no other flow prevents the start; of two concurrent calls only one creates its flow.
    """
    contacts = tuple(dict.fromkeys(request.contact_uids or ()))
    campaign = _check(ports, workspace, request, contacts)
    flow = _draft(ports, request, campaign, trigger, uid or new_uid())
    if request.status == "draft":
        draft = _with_audience(ports, workspace, flow, contacts)
        ports.catalog.add(workspace, draft, under=(Campaign, flow.campaign_uid))
        return draft
    version = pin_version(ports, workspace, flow)
    moving = [ports.catalog.get(workspace, Campaign, flow.campaign_uid)] if alone else []
    if alone:
        alone()
    return store_and_start(ports, workspace, flow.with_version(version), contacts, moving)


def store_and_start(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, entries: Sequence[str], moving: Sequence[StoredDocument]
) -> Flow:
    """Store a new flow as started, together with the documents that its start changes, in one transaction.

    If the start is refused, no draft stays behind.
    """
    started = as_started(ports, workspace, _with_audience(ports, workspace, flow, entries))
    ports.catalog.add(workspace, started, under=(Campaign, flow.campaign_uid), moving=moving)
    enqueue_enrolment(ports, workspace, started)
    return started


def _with_audience(ports: Ports, workspace: WorkspaceUid, flow: Flow, entries: Sequence[str]) -> Flow:
    """Store the audience, and return the flow with its size. A crash leaves no flow with half an audience."""
    if flow.from_rows:
        return flow
    chunks = split_into_chunks(entries)
    for number, chunk in enumerate(chunks):
        ports.chunks.put_chunk(workspace, Flow, flow.uid, number, chunk)
    # The single chunk of a segment is the enrolment plan, which the first job creates.
    parts = 1 if flow.segment_uid else len(chunks)
    return flow.with_audience(len(entries), parts, count_shards(len(entries)))


def split_into_chunks(entries: Sequence[str]) -> list[Sequence[str]]:
    """Split an audience into chunks as they are stored."""
    return [entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK)]


def count_shards(contacts: int) -> int:
    """Return the number of shards for a flow with this many contacts."""
    return max(1, min(MAX_SHARDS, -(-contacts // CONTACTS_PER_SHARD)))


def _draft(ports: Ports, request: NewFlow, campaign: Campaign, trigger: str, uid: str) -> Flow:
    now = ports.clock.now()
    contacts = request.contact_uids or ()
    return Flow(
        uid=uid,
        created_at=now,
        updated_at=now,
        description=request.description,
        channel_uid=request.channel_uid,
        campaign_uid=request.campaign_uid,
        segment_uid=request.segment_uid,
        trigger=trigger,
        configuration=merge_configuration(campaign.configuration, request.configuration),
        duplicates_removed=len(contacts) - len(set(contacts)),
    )


def _check(ports: Ports, workspace: WorkspaceUid, request: NewFlow, contacts: Sequence[str]) -> Campaign:
    campaign = ports.catalog.find(workspace, Campaign, request.campaign_uid)
    problems = _unknown_objects(ports, workspace, request, campaign)
    short = campaign.short_form if campaign else None
    if short and short.channel_uid != request.channel_uid:
        problems.append(Problem("channelUid", f"This campaign sends over channel {short.channel_uid}"))
    unknown = unknown_contacts(ports, workspace, contacts)
    if campaign is None or problems or unknown:
        raise InvalidRequest([*problems, *unknown], _sentence(len(problems), len(unknown)))
    check_available(campaign)
    found = validate_campaign(ports, workspace, campaign, request.channel_uid).problems
    if found:
        problems = [Problem(f"campaign.{problem.field}", problem.message) for problem in found]
        raise InvalidRequest(problems, "The campaign has problems; fix them first")
    return campaign


def _unknown_objects(
    ports: Ports, workspace: WorkspaceUid, request: NewFlow, campaign: Campaign | None
) -> list[Problem]:
    problems = []
    if campaign is None:
        problems.append(Problem("campaignUid", f"Campaign {request.campaign_uid} was not found"))
    if ports.catalog.find(workspace, Channel, request.channel_uid) is None:
        problems.append(Problem("channelUid", f"Channel {request.channel_uid} was not found"))
    if request.segment_uid and ports.catalog.find(workspace, Segment, request.segment_uid) is None:
        problems.append(Problem("segmentUid", f"Segment {request.segment_uid} was not found"))
    return problems


def _sentence(others: int, contacts: int) -> str:
    return f"{contacts} of the contacts were not found" if not others else "The request is not valid"


def unknown_contacts(ports: Ports, workspace: WorkspaceUid, contacts: Sequence[str]) -> list[Problem]:
    """Return a problem for each unknown contact; none if there are more than MAX_LISTED."""
    known = ports.contacts.find_many(workspace, [ContactUid(uid) for uid in contacts], strong=False)
    unknown = [uid for uid in contacts if uid not in known]
    listed = unknown if len(unknown) <= MAX_LISTED else []
    return [Problem("contactUids", f"Contact {uid} was not found") for uid in listed]
