"""Start a flow: pin the campaign version, queue the flow, and enqueue the enrolment of its contacts."""

from contextlib import suppress

from chalicelib.core.billing.charge_messages import check_funds
from chalicelib.core.campaigns.publish_campaign import publish_campaign
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.campaign import Availability, Campaign
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.queue_messages import EnrolContacts, EnrolRetry, EnrolSegment, Recount
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports


def start_flow(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Start a draft. Raises Conflict if the flow changed at the same time or its campaign starts no flows."""
    flow.check_operator_move(FlowStatus.QUEUED)
    version = pin_version(ports, workspace, flow)
    saved = ports.catalog.save(workspace, as_started(ports, workspace, flow.with_version(version)))
    enqueue_enrolment(ports, workspace, saved)
    return saved


def pin_version(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> int:
    """Return the campaign version of the flow: its own, or the newest, which is published if needed.

    Raises Conflict, and InsufficientBalance if the balance does not cover one message.
    """
    campaign = ports.catalog.find(workspace, Campaign, flow.campaign_uid)
    if campaign is None:
        raise Conflict("The campaign of this flow was deleted", "DELETED", [Availability.ACTIVE])
    check_available(campaign)
    number = flow.campaign_version
    if number is None:
        number = publish_campaign(ports, workspace, flow.campaign_uid, flow.channel_uid)[1].version
    if ports.catalog.get(workspace, Workspace, workspace).prepaid:
        check_funds(ports, workspace, flow.with_version(number))
    return number


def check_available(campaign: Campaign) -> None:
    """Raise Conflict if the campaign starts no new flows."""
    if campaign.availability is not Availability.ACTIVE:
        raise Conflict(
            f"The campaign is {campaign.availability} and starts no new flows",
            campaign.availability,
            [Availability.ACTIVE],
        )


def as_started(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Return the draft as started, not stored yet."""
    is_prepaid = ports.catalog.get(workspace, Workspace, workspace).prepaid
    return flow.started(ports.clock.now(), is_prepaid=is_prepaid)


def enqueue_enrolment(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Enqueue the enrolment of a started flow. Lost jobs are sent again by the watchdog.

    So a failing queue raises no error: the caller would repeat the request and start a second flow.
    """
    with suppress(RetryLater):
        resume_enrolment(ports, workspace, flow)
        if flow.chunks == 0:
            ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))


def resume_enrolment(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Enqueue one job for each chunk of the audience that is not enrolled yet."""
    job = EnrolRetry if flow.from_rows else EnrolSegment if flow.segment_uid else EnrolContacts
    for chunk in range(flow.chunks):
        if chunk not in flow.expanded_chunks:
            ports.jobs.send(job(workspace=workspace, flow=flow.uid, chunk=chunk))
