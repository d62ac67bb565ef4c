"""The minute's round: hands due timer buckets over and looks after flows in which nothing moves."""

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

#: Buckets are handed over this far ahead; less than the 15 minutes that a hint needs to get into one.
AHEAD = timedelta(minutes=10)
#: A bucket this old is gone by its TTL; how far back a clock that was dead looks.
BACK = timedelta(days=2)
#: Without a movement for this long a running flow is counted, which also heals it.
STILL = timedelta(minutes=2)
#: The next look, when the recount itself leaves no better moment.
LOOK_AGAIN = timedelta(minutes=15)
#: A job that counts has 15 seconds for each shard.
COUNTED_WITHIN = timedelta(seconds=15)
#: So long after its end an event campaign still takes in who did it in time: their events may be under way.
LATE_EVENTS = timedelta(minutes=15)
#: When a flow that was closed is counted: later than who was on the way to it is in, also by a clock that is behind.
EMPTIED = timedelta(minutes=1)


def sweep_timers(ports: Ports) -> int:
    """Sends one job per bucket up to ten minutes ahead; sweeping a bucket twice is harmless. Returns how many."""
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
    """Every queued or running flow of every workspace, once; how many of them stood still and were helped."""
    failed: Exception | None = None
    helped = 0
    for workspace, uid in ports.schedule.list_active(Flow):
        try:
            flow = ports.catalog.find(workspace, Flow, uid)
            if flow is not None and flow.is_active:
                helped += _watch(ports, workspace, flow)
        except Exception as error:  # noqa: BLE001 - one flow that cannot be read must not hide those behind it
            failed = error
    if failed:
        raise failed
    return helped


def _watch(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    now = ports.clock.now()
    if flow.recount_at is not None and not flow.is_under_way:
        return now >= flow.recount_at and _count_again(ports, workspace, flow)
    if flow.takes_entrants and _is_past_its_end(ports, workspace, flow):
        return _close(ports, workspace, flow)
    moves = ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch).get("movements", 0)
    if moves != flow.seen_movements or flow.seen_at is None:
        _save(ports, workspace, flow.with_movements(moves, now))
        return False
    # A slow pace is not standing still: three of its steps may pass.
    patience = STILL * ports.clock.speed + interval(flow.configuration) * 3
    if now < (flow.look_again_at or flow.seen_at + patience):
        return False
    if _save(ports, workspace, flow.with_look_at(now + _next_look(flow))):
        _revive(ports, workspace, flow)
        return True
    return False


def _is_past_its_end(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """Whether the campaign takes nobody in any more, by the end of its newest version; late events have passed."""
    campaign = ports.catalog.find(workspace, Campaign, flow.campaign_uid)
    if campaign is None:
        return True
    version = ports.versions.find_version(workspace, Campaign, campaign.uid, campaign.latest_version, CampaignVersion)
    trigger = version.trigger if version else None
    if not isinstance(trigger, EventTrigger) or trigger.until is None:
        return False
    return ports.clock.now() > trigger.until + LATE_EVENTS * ports.clock.speed


def _close(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """From here on it ends like every other flow, when its last execution is over and nobody is on the way to it."""
    unsubscribe_flow(ports, workspace, flow.uid)
    if _save(ports, workspace, flow.closed(ports.clock.now())):
        request_recount(ports, workspace, flow, EMPTIED * ports.clock.speed)
    return True


def _count_again(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> bool:
    """Should the job get lost, the next one follows."""
    if not _save(ports, workspace, flow.with_recount_at(ports.clock.now() + _next_look(flow))):
        return False
    request_recount(ports, workspace, flow)
    return True


def _is_to_be_counted(flow: Flow) -> bool:
    return flow.is_over or (flow.status is FlowStatus.RUNNING and flow.is_expanded)


def _next_look(flow: Flow) -> timedelta:
    """While a count is under way another one would only be in its way."""
    return max(LOOK_AGAIN, COUNTED_WITHIN * flow.shards) if _is_to_be_counted(flow) else LOOK_AGAIN


def _revive(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    if _is_to_be_counted(flow):
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
