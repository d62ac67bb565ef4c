"""Watchdog, run once a minute: release due timer buckets, and recount or resume stalled flows."""

from datetime import timedelta

from chalicelib.core.channels.pacing import interval
from chalicelib.core.flows.start_flow import resume_enrolment
from chalicelib.core.notifications.manage_subscriptions import unsubscribe_flow
from chalicelib.core.reconciliation.request_recount import request_recount
from chalicelib.errors import Conflict
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import ReleaseTimers
from chalicelib.model.trigger import EventTrigger
from chalicelib.ports import Ports

#: How far ahead buckets are released. It is less than the 15 minutes from which on a step goes into a bucket.
AHEAD = timedelta(minutes=10)
#: How far back an interrupted clock looks for buckets. Older ones were deleted by their TTL.
BACK = timedelta(days=2)
#: A running flow without a statistics update for this time is recounted, which also enqueues overdue executions.
STILL = timedelta(minutes=2)
#: Delay of the next check, unless the recount sets a better one.
LOOK_AGAIN = timedelta(minutes=15)
#: Time that a recount has for each shard.
SHARD_TIME = timedelta(seconds=15)
#: Time after the end of an event campaign in which it still accepts events that happened before its end.
LATE_EVENTS = timedelta(minutes=15)
#: Delay of the recount of a closed flow. Contacts that were being enrolled are stored by then.
CLOSING_TIME = timedelta(minutes=1)


def sweep_timers(ports: Ports) -> int:
    """Send one job for each bucket up to 10 minutes ahead. Returns how many. A bucket may be released twice."""
    now = ports.clock.now().replace(second=0, microsecond=0)
    swept = ports.timers.swept_to()
    start = max(swept + timedelta(minutes=1), now - BACK) if swept else now - timedelta(hours=1)
    end = now + AHEAD
    if start > end:
        return 0
    buckets = ports.timers.buckets(start, end)
    for bucket in buckets:
        ports.jobs.send(ReleaseTimers(bucket=bucket))
    ports.timers.set_swept_to(end)
    return len(buckets)


def watch_flows(ports: Ports) -> int:
    """Check every active flow of every workspace. Returns how many were recounted or resumed."""
    failed: Exception | None = None
    acted = 0
    for workspace, uid in ports.schedule.list_active(Flow):
        try:
            flow = ports.catalog.find(workspace, Flow, uid)
            if flow is not None and flow.is_active:
                acted += _watch(ports, workspace, flow)
        except Exception as error:  # noqa: BLE001 - one unreadable flow must not stop the check of the others
            failed = error
    if failed:
        raise failed
    return acted


def _watch(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    now = ports.clock.now()
    if flow.recount_at is not None and not flow.is_under_way:
        return now >= flow.recount_at and _count_again(ports, workspace, flow)
    if flow.takes_entrants and _has_ended(ports, workspace, flow):
        return _close(ports, workspace, flow)
    moves = ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch).get("movements", 0)
    if moves != flow.seen_movements or flow.seen_at is None:
        _save(ports, workspace, flow.with_movements(moves, now))
        return False
    # A slow flow is not stalled: three of its pauses may pass.
    patience = STILL * ports.clock.speed + interval(flow.configuration) * 3
    if now < (flow.look_again_at or flow.seen_at + patience):
        return False
    if _save(ports, workspace, flow.with_look_at(now + _next_look(flow))):
        _repair(ports, workspace, flow)
        return True
    return False


def _has_ended(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """Report whether the newest version of the event campaign has ended, and late events have passed."""
    campaign = ports.catalog.find(workspace, Campaign, flow.campaign_uid)
    if campaign is None:
        return True
    version = ports.versions.find_version(workspace, Campaign, campaign.uid, campaign.latest_version, CampaignVersion)
    trigger = version.trigger if version else None
    if not isinstance(trigger, EventTrigger) or trigger.until is None:
        return False
    return ports.clock.now() > trigger.until + LATE_EVENTS * ports.clock.speed


def _close(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """Close the flow for new contacts. It then ends like any other flow, after its last execution."""
    unsubscribe_flow(ports, workspace, flow.uid)
    if _save(ports, workspace, flow.closed(ports.clock.now())):
        request_recount(ports, workspace, flow, CLOSING_TIME * ports.clock.speed)
    return True


def _count_again(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """Recount an ended flow once more. If the job is lost, the watchdog sends the next one later."""
    if not _save(ports, workspace, flow.with_recount_at(ports.clock.now() + _next_look(flow))):
        return False
    request_recount(ports, workspace, flow)
    return True


def _needs_recount(flow: Flow) -> bool:
    return flow.is_over or (flow.status is FlowStatus.RUNNING and flow.is_expanded)


def _next_look(flow: Flow) -> timedelta:
    """Return the delay of the next check. It exceeds the time of a recount, because two recounts would compete."""
    return max(LOOK_AGAIN, SHARD_TIME * flow.shards) if _needs_recount(flow) else LOOK_AGAIN


def _repair(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    if _needs_recount(flow):
        request_recount(ports, workspace, flow)
        return
    resume_enrolment(ports, workspace, flow)


def _save(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """Save the flow. False if it was changed in between; the next run looks at it again."""
    try:
        ports.catalog.save(workspace, flow)
    except Conflict:
        return False
    return True
