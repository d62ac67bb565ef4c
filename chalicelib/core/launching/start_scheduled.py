"""Perform a scheduled start. One transaction stores the flow and the next start, so no start happens twice."""

from contextlib import suppress
from datetime import datetime

from chalicelib.core.campaigns.publish_campaign import get_version
from chalicelib.core.campaigns.recurrence import TICK, Occurrence, occurrences
from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.core.flows.create_flow import store_and_start
from chalicelib.core.launching.control_campaign import PAUSED, state_of
from chalicelib.errors import Conflict, NotFound, RetryLater
from chalicelib.model.campaign import Availability, Campaign
from chalicelib.model.durations import describe_duration
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid, uid_at
from chalicelib.model.queue_messages import StartScheduledCampaign
from chalicelib.model.segment import Segment
from chalicelib.model.trigger import Schedule
from chalicelib.ports import Ports

#: Attempts against concurrent changes of the campaign.
TRIES = 6


def start_scheduled(ports: Ports, job: StartScheduledCampaign) -> Flow | None:
    """Start the flow of a due start. Returns None if no start is due, or if it is skipped; the schedule stores why."""
    workspace = job.workspace
    for _ in range(TRIES):
        campaign = ports.catalog.find(workspace, Campaign, job.uid)
        if campaign is None or campaign.schedule is None:
            return None
        if campaign.schedule.due is None or campaign.schedule.due > ports.clock.now():
            return None
        with suppress(Conflict):
            return _start(ports, workspace, campaign, campaign.schedule)
    raise RetryLater("The campaign was changed at the same time; try again")


def _start(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, schedule: Schedule) -> Flow | None:
    schedule, following = _catch_up(schedule, ports.clock.now())
    next_start = {
        "due": following.at if following else None,
        "number": following.number if following else schedule.number,
    }
    reason = _skip_reason(ports, workspace, campaign, schedule)
    if reason:
        skipped = schedule.without_start(reason).model_copy(update=next_start)
        ports.catalog.save(workspace, campaign.model_copy(update={"schedule": skipped}))
        return None
    after = campaign.model_copy(update={"schedule": schedule.model_copy(update=next_start)})
    flow = _draft(ports, campaign, schedule)
    contacts = campaign.audience.contact_uids if campaign.audience else None
    unique = tuple(dict.fromkeys(contacts or ()))
    return store_and_start(ports, workspace, flow, unique, [after])


def _catch_up(schedule: Schedule, now: datetime) -> tuple[Schedule, Occurrence | None]:
    """Return the schedule at its newest due start, with earlier ones skipped, and the start after it."""
    due = Occurrence(schedule.due or now, schedule.number)
    for following in occurrences(schedule.trigger, schedule.timezone, due.at, due):
        if following.at > now:
            return schedule, following
        skipped = schedule.without_start("a later start was also due")
        schedule = skipped.model_copy(update={"due": following.at, "number": following.number})
    return schedule, None


def _skip_reason(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, schedule: Schedule) -> str | None:
    """Return the reason to skip the due start, or None."""
    overdue = ports.clock.now() - (schedule.due or ports.clock.now())
    # The clock itself may be late by one run, which does not count against the grace.
    if overdue > campaign.start_grace + TICK * ports.clock.speed:
        limit = describe_duration(campaign.start_grace)
        return f"{describe_duration(overdue)} late, more than the startGrace of {limit}"
    if campaign.availability is not Availability.ACTIVE:
        return f"the campaign is {campaign.availability}"
    if schedule.paused or state_of(ports, workspace, campaign) in PAUSED:
        return "the campaign is paused"
    if campaign.audience is None:
        return "the campaign no longer has an audience"
    segment = campaign.audience.segment_uid
    if segment and ports.catalog.find(workspace, Segment, segment) is None:
        return f"segment {segment} was deleted"
    return _problem(ports, workspace, campaign, schedule)


def _problem(ports: Ports, workspace: WorkspaceUid, campaign: Campaign, schedule: Schedule) -> str | None:
    """Validate the published version again, because a template may have been rejected since."""
    try:
        version = get_version(ports, workspace, campaign.uid, campaign.latest_version)
    except NotFound as error:
        return str(error)
    published = campaign.model_copy(update={"steps": version.steps, "short_form": None})
    problems = validate_campaign(ports, workspace, published, schedule.channel_uid).problems
    return f"{problems[0].field}: {problems[0].message}" if problems else None


def _draft(ports: Ports, campaign: Campaign, schedule: Schedule) -> Flow:
    """Build the flow. Its uid is derived from campaign and start, so a retry overwrites what a crash has left."""
    now = ports.clock.now()
    contacts = (campaign.audience.contact_uids if campaign.audience else None) or ()
    return Flow(
        uid=uid_at(schedule.due or now, campaign.uid),
        created_at=now,
        updated_at=now,
        channel_uid=schedule.channel_uid,
        campaign_uid=campaign.uid,
        campaign_version=campaign.latest_version,
        trigger="scheduled",
        segment_uid=campaign.audience.segment_uid if campaign.audience else None,
        duplicates_removed=len(contacts) - len(set(contacts)),
        configuration=campaign.configuration,
    )
