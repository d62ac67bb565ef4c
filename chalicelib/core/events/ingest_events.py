"""Store events and start executions of the event campaigns that subscribe to them."""

from collections.abc import Sequence

from chalicelib.core.campaigns.compiled_version import graph_of
from chalicelib.core.contacts.load_history import load_event_history
from chalicelib.core.events.entry_rules import Admit, AlreadyIn, check_entry, matches_trigger
from chalicelib.core.flows.progress import counters_of
from chalicelib.core.notifications.deliver_webhooks import enqueue_webhooks
from chalicelib.core.notifications.manage_subscriptions import find_subscriptions, unsubscribe_flow
from chalicelib.errors import GiveUp, RetryLater
from chalicelib.model.campaign import Availability, Campaign, CampaignVersion
from chalicelib.model.conditions import required_events
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.event_subscription import EventSubscription
from chalicelib.model.execution import Execution, ExecutionKey, ExecutionStatus, TriggeringEvent
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ContactUid, FlowUid, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import Recount, ScheduledStep, build_step_message
from chalicelib.model.trigger import EventTrigger
from chalicelib.ports import Ports

#: Attempts to enrol a contact against other events of the same contact.
TRIES = 4
#: Newest entries of one contact that are searched for the event's id.
ENTRIES = 50


def ingest_events(ports: Ports, workspace: WorkspaceUid, events: Sequence[Event]) -> int:
    """Return how many contacts entered a campaign. Idempotent: a repeated event enters no contact twice."""
    uids = list({ContactUid(event.contact_uid) for event in events})
    contacts = ports.contacts.find_many(workspace, uids, strong=True)
    # Events of an erased contact are dropped, even if they arrive later.
    known = [event for event in events if event.contact_uid in contacts]
    unprocessed = [stored.event for stored in ports.events.add_many(workspace, known) if stored.is_unprocessed]
    subscriptions = find_subscriptions(ports, workspace) if unprocessed else None
    matched = [
        (subscription, event)
        for event in unprocessed
        for subscription in (subscriptions.of(event.name) if subscriptions else ())
    ]
    entered = sum(
        _trigger(ports, workspace, subscription, event, contacts[ContactUid(event.contact_uid)])
        for subscription, event in matched
    )
    if subscriptions and subscriptions.webhook_events:
        wanted = [event for event in unprocessed if event.name in subscriptions.webhook_events]
        enqueue_webhooks(ports, workspace, wanted)
    ports.events.finish(workspace, unprocessed)
    return entered


def _trigger(
    ports: Ports, workspace: WorkspaceUid, subscription: EventSubscription, event: Event, contact: Contact
) -> bool:
    """Start an execution if the campaign's trigger matches. Removes the subscription of a closed flow."""
    flow = ports.catalog.find(workspace, Flow, subscription.flow_uid)
    if flow is None or not flow.takes_entrants:
        unsubscribe_flow(ports, workspace, subscription.flow_uid)
        return False
    campaign = ports.catalog.find(workspace, Campaign, subscription.campaign_uid)
    if campaign is None or campaign.availability is not Availability.ACTIVE:
        return False
    version = ports.versions.find_version(workspace, Campaign, campaign.uid, campaign.latest_version, CampaignVersion)
    if version is None or not isinstance(version.trigger, EventTrigger):
        return False
    names = required_events(version.trigger.when) if version.trigger.when else frozenset()
    history = load_event_history(ports, workspace, contact, names) if names else ()
    if not matches_trigger(version.trigger, event, contact, history, ports.clock.now()):
        return False
    return _enter(ports, workspace, flow, version, event)


def _enter(ports: Ports, workspace: WorkspaceUid, flow: Flow, version: CampaignVersion, event: Event) -> bool:
    uid, contact = FlowUid(flow.uid), ContactUid(event.contact_uid)
    for _ in range(TRIES):
        entries = ports.executions.find_entries(workspace, uid, contact, flow.shards, ENTRIES)
        decision = check_entry(entries, event, version.entry, ports.clock.now())
        if isinstance(decision, AlreadyIn):
            # An interrupted run may have stored the execution without its step message.
            _enqueue(ports, workspace, flow, decision.execution)
            return False
        if not isinstance(decision, Admit):
            return False
        execution = _build_execution(ports, ExecutionKey(workspace, uid, contact, decision.entry), version, event)
        if execution.key in ports.executions.enrol_many([execution], flow.shards):
            ports.statistics.record_batch(workspace, uid, flow.stats_epoch, new_uid(), counters_of(execution))
            _enqueue(ports, workspace, flow, execution)
            return True
    raise RetryLater("Too many events of one contact arrive at the same time")


def _build_execution(ports: Ports, key: ExecutionKey, version: CampaignVersion, event: Event) -> Execution:
    start = graph_of(ports, key.workspace, version).start
    if start is None:
        raise GiveUp("version_unreadable", f"Campaign {version.campaign_uid} v{version.version} has no steps")
    now = ports.clock.now()
    return Execution(
        key=key,
        status=ExecutionStatus.PENDING,
        seq=0,
        node=start,
        version=version.version,
        created=now,
        updated=now,
        entered=now,
        cause=TriggeringEvent(event.id, event.properties),
    )


def _enqueue(ports: Ports, workspace: WorkspaceUid, flow: Flow, execution: Execution) -> None:
    """Send the first step message if the flow runs.

    In a paused flow the execution waits for the resume. From an ended flow it is removed.
    """
    current = ports.catalog.find(workspace, Flow, flow.uid)
    if current is not None and current.status is FlowStatus.CANCELLED:
        # The pass that cancels the open executions may have finished before this one was enrolled.
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
    elif current is None or current.is_over:
        ports.executions.remove_many([execution.key], flow.shards)
    elif execution.is_open and current.status is FlowStatus.RUNNING:
        step = ScheduledStep(build_step_message(execution.key, execution.seq), ports.clock.now())
        ports.steps.send([step], ports.clock.now())
