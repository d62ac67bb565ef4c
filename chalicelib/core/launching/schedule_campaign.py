"""Schedule a campaign. The campaign stores its next start; the clock and its jobs only trigger the check."""

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.core.campaigns.publish_campaign import publish_campaign
from chalicelib.core.campaigns.recurrence import TICK, Occurrence, occurrences
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.campaign import Campaign
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import StartScheduledCampaign
from chalicelib.model.trigger import Schedule, ScheduledTrigger
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: The clock enqueues starts this long in advance. The queue delays each job until its second.
AHEAD = TICK + timedelta(seconds=10)
#: Most upcoming starts in a response.
SHOWN_STARTS = 5


def schedule_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, channel: str) -> Campaign:
    """Publish a campaign and store its first start. Raises Conflict if the campaign was changed at the same time."""
    campaign, _ = publish_campaign(ports, workspace, uid, channel)
    if not isinstance(campaign.trigger, ScheduledTrigger) or campaign.is_scheduled:
        raise Conflict("The campaign was changed by another request; read it again")
    planned = plan_schedule(ports, workspace, campaign, campaign.trigger, channel)
    saved = ports.catalog.save(workspace, campaign.model_copy(update={"schedule": planned}))
    if saved.due_at and saved.due_at <= ports.clock.now() + AHEAD * ports.clock.speed:
        with suppress(RetryLater):  # The clock finds the start in its next run.
            enqueue_start(ports, workspace, uid, saved.due_at)
    return saved


def plan_schedule(
    ports: Ports, workspace: WorkspaceUid, campaign: Campaign, trigger: ScheduledTrigger, channel: str
) -> Schedule:
    """Return a schedule with the first start from now on. A single start may be late by `start_grace`."""
    now = ports.clock.now()
    timezone = trigger.timezone or ports.catalog.get(workspace, Workspace, workspace).timezone
    after = now if trigger.rrule else now - campaign.start_grace - TICK
    first = next(occurrences(trigger, timezone, after), None)
    skipped = campaign.schedule.skipped if campaign.schedule else ()
    return Schedule(
        trigger=trigger,
        timezone=timezone,
        due=first.at if first else None,
        number=first.number if first else 0,
        channel_uid=channel,
        skipped=skipped,
    )


def upcoming_starts(campaign: Campaign) -> tuple[datetime, ...]:
    """Return the next starts of a scheduled campaign; empty for other campaigns."""
    schedule = campaign.schedule
    if schedule is None or schedule.due is None:
        return ()
    known = Occurrence(schedule.due, schedule.number)
    following = occurrences(schedule.trigger, schedule.timezone, schedule.due, known)
    return (schedule.due, *(each.at for each in islice(following, SHOWN_STARTS - 1)))


def drafted_starts(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> tuple[datetime, ...]:
    """Return the starts of a campaign if it were launched now. Its trigger must have no problems."""
    if not isinstance(campaign.trigger, ScheduledTrigger):
        return ()
    planned = plan_schedule(ports, workspace, campaign, campaign.trigger, "")
    return upcoming_starts(campaign.model_copy(update={"schedule": planned}))


def enqueue_due_starts(ports: Ports) -> int:
    """Enqueue a job for each start that is due before the next run of the clock. Returns their number.

    A repeated job does no harm.
    """
    ahead = ports.clock.now() + AHEAD * ports.clock.speed
    count = 0
    for workspace, uid, due in ports.schedule.list_due(Campaign, ahead):
        enqueue_start(ports, workspace, uid, due)
        count += 1
    return count


def enqueue_start(ports: Ports, workspace: WorkspaceUid, uid: str, due: datetime) -> None:
    """Enqueue a job that arrives at the second of the start."""
    ports.jobs.send(StartScheduledCampaign(workspace=workspace, uid=uid), max(due - ports.clock.now(), timedelta(0)))
