"""Takes in what contacts did: keeps it, and leads contacts into the event campaigns that listen to it."""

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

#: Tries to enter against another event of the same contact at the same moment.
TRIES = 4
#: Entries of one contact that are looked through for the event's id.
ENTRIES = 50


def ingest_events(ports: Ports, workspace: WorkspaceUid, events: Sequence[Event]) -> int:
    """How many contacts entered a campaign. Whatever breaks off is done again: no event leads in twice."""
    uids = list({ContactUid(event.contact_uid) for event in events})
    contacts = ports.contacts.find_many(workspace, uids, strong=True)
    # Of somebody who was erased meanwhile nothing is kept, however late it comes.
    known = [event for event in events if event.contact_uid in contacts]
    news = [kept.event for kept in ports.events.add_many(workspace, known) if kept.is_news]
    listeners = find_subscriptions(ports, workspace) if news else None
    heard = [(each, event) for event in news for each in (listeners.of(event.name) if listeners else ())]
    entered = sum(
        _hear(ports, workspace, each, event, contacts[ContactUid(event.contact_uid)]) for each, event in heard
    )
    if listeners and listeners.told:
        enqueue_webhooks(ports, workspace, [event for event in news if event.name in listeners.told])
    ports.events.finish(workspace, news)
    return entered


def _hear(ports: Ports, workspace: WorkspaceUid, listener: EventSubscription, event: Event, contact: Contact) -> bool:
    flow = ports.catalog.find(workspace, Flow, listener.flow_uid)
    if flow is None or not flow.takes_entrants:
        unsubscribe_flow(ports, workspace, listener.flow_uid)
        return False
    campaign = ports.catalog.find(workspace, Campaign, listener.campaign_uid)
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
        answer = check_entry(entries, event, version.entry, ports.clock.now())
        if isinstance(answer, AlreadyIn):
            # A try that broke off may have left it without its hint.
            _go_on(ports, workspace, flow, answer.row)
            return False
        if not isinstance(answer, Admit):
            return False
        row = _build_row(ports, ExecutionKey(workspace, uid, contact, answer.entry), version, event)
        if row.key in ports.executions.enrol_many([row], flow.shards):
            ports.statistics.record_batch(workspace, uid, flow.stats_epoch, new_uid(), counters_of(row))
            _go_on(ports, workspace, flow, row)
            return True
    raise RetryLater("Many events of one contact arrive at once")


def _build_row(ports: Ports, key: ExecutionKey, version: CampaignVersion, event: Event) -> Execution:
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


def _go_on(ports: Ports, workspace: WorkspaceUid, flow: Flow, row: Execution) -> None:
    """Hints the row if its flow runs: a paused flow holds it until the resume, one that ended does not keep it."""
    now = ports.catalog.find(workspace, Flow, flow.uid)
    if now is not None and now.status is FlowStatus.CANCELLED:
        # The pass that settles the cancelled rows may have gone by before this one was enrolled.
        ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
    elif now is None or now.is_over:
        ports.executions.remove_many([row.key], flow.shards)
    elif row.is_open and now.status is FlowStatus.RUNNING:
        ports.steps.send([ScheduledStep(build_step_message(row.key, row.seq), ports.clock.now())], ports.clock.now())
