"""Opens an event campaign: one flow without an end, and a listener that leads contacts into it."""

from chalicelib.core.campaigns.publish_campaign import publish_campaign
from chalicelib.core.flows.start_flow import as_started
from chalicelib.core.launching.control_campaign import open_flows
from chalicelib.core.notifications.manage_subscriptions import get_subscriptions
from chalicelib.errors import Conflict
from chalicelib.model.campaign import Campaign
from chalicelib.model.event_subscription import EventSubscription
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.trigger import EventTrigger
from chalicelib.ports import Ports

#: How many will come is not known beforehand: rows over so many partitions take 16,000 writes a second, and a look
#: over all of them is cheap still.
SHARDS = 16


def open_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, channel: str) -> Flow:
    """Publishes, then stores flow and listener in one write; Conflict when somebody else did so meanwhile."""
    campaign, version = publish_campaign(ports, workspace, uid, channel)
    if not isinstance(version.trigger, EventTrigger):
        raise Conflict("The trigger of the campaign was changed by another request; read it again")
    flow = as_started(ports, workspace, _draft(ports, campaign, channel).with_version(version.version))
    listeners = get_subscriptions(ports, workspace)
    heard = EventSubscription(campaign_uid=campaign.uid, flow_uid=flow.uid, event=version.trigger.event)
    if any(each.status is not FlowStatus.DRAFT for each in open_flows(ports, workspace, uid)):
        raise Conflict("The campaign was launched meanwhile: read it again")
    ports.catalog.add(
        workspace, flow, under=(Campaign, campaign.uid), moving=[campaign, listeners.with_subscription(heard)]
    )
    return flow


def _draft(ports: Ports, campaign: Campaign, channel: str) -> Flow:
    now = ports.clock.now()
    return Flow(
        uid=new_uid(),
        created_at=now,
        updated_at=now,
        channel_uid=channel,
        campaign_uid=campaign.uid,
        trigger="event",
        configuration=campaign.configuration,
        open_ended=True,
        shards=SHARDS,
    )
