"""Publish a campaign that may be running. Its schedule and new entrants then use the new version."""

from contextlib import suppress

from chalicelib.core.campaigns.publish_campaign import TRIES, publish_campaign
from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.core.campaigns.validate_trigger import check_trigger
from chalicelib.core.launching.control_campaign import open_flows
from chalicelib.core.launching.schedule_campaign import plan_schedule
from chalicelib.core.notifications.manage_subscriptions import update_subscription
from chalicelib.errors import Conflict, InvalidRequest, RetryLater
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.event_subscription import EventSubscription
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.trigger import EventTrigger, ScheduledTrigger
from chalicelib.ports import Ports


def republish_campaign(ports: Ports, workspace: WorkspaceUid, uid: str) -> CampaignVersion:
    """Publish a campaign and update its schedule and event subscription.

    Raises NotFound, or InvalidRequest with all problems, including those of a trigger that is in use.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    subscribed = [flow for flow in open_flows(ports, workspace, uid) if flow.takes_entrants and flow.epoch]
    if campaign.is_scheduled or subscribed:
        problems = (*validate_campaign(ports, workspace, campaign).problems, *check_trigger(ports, workspace, campaign))
        if problems:
            raise InvalidRequest(problems, "The campaign has problems; fix them first")
    published, version = publish_campaign(ports, workspace, uid)
    for flow in subscribed:
        if isinstance(version.trigger, EventTrigger):
            subscription = EventSubscription(campaign_uid=uid, flow_uid=flow.uid, event=version.trigger.event)
            update_subscription(ports, workspace, subscription)
    if campaign.is_scheduled:
        _reschedule(ports, workspace, published)
    return version


def _reschedule(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> None:
    """Plan the schedule by the published trigger. An unchanged trigger keeps its next start."""
    for _ in range(TRIES):
        schedule, trigger = campaign.schedule, campaign.trigger
        if schedule is None or schedule.due is None or schedule.trigger == trigger:
            return
        if isinstance(trigger, ScheduledTrigger):
            planned = plan_schedule(ports, workspace, campaign, trigger, schedule.channel_uid)
            planned = planned.model_copy(update={"paused": schedule.paused})
        else:
            reason = f"the trigger was changed to {trigger.type}"
            planned = schedule.without_start(reason).model_copy(update={"due": None})
        with suppress(Conflict):
            ports.catalog.save(workspace, campaign.model_copy(update={"schedule": planned}))
            return
        campaign = ports.catalog.get(workspace, Campaign, campaign.uid)
    raise RetryLater("The campaign was changed at the same time; try again")
