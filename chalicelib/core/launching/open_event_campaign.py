"""Open an event campaign: store one open-ended flow, and an event subscription that enters contacts into it."""

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

#: The number of contacts is unknown. 16 partitions take 16,000 writes/s, and reading all of them is still cheap.
SHARDS = 16


def open_event_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, channel: str) -> Flow:
    """Publish the campaign, then store the flow and the subscription in one transaction.

    Raises InvalidRequest with all problems, or Conflict if the campaign was changed or launched at the same time.
    """
    campaign, version = publish_campaign(ports, workspace, uid, channel)
    if not isinstance(version.trigger, EventTrigger):
        raise Conflict("The trigger of the campaign was changed by another request; read it again")
    flow = as_started(ports, workspace, _draft(ports, campaign, channel).with_version(version.version))
    subscriptions = get_subscriptions(ports, workspace)
    subscription = EventSubscription(campaign_uid=campaign.uid, flow_uid=flow.uid, event=version.trigger.event)
    if any(each.status is not FlowStatus.DRAFT for each in open_flows(ports, workspace, uid)):
        raise Conflict("The campaign was launched by another request; read it again")
    ports.catalog.add(
        workspace,
        flow,
        under=(Campaign, campaign.uid),
        moving=[campaign, subscriptions.with_subscription(subscription)],
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
