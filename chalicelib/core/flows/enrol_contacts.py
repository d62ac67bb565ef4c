"""Enrol the contacts of one chunk of a flow's audience. The last chunk starts the dispatch."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.core.campaigns.compiled_version import graph_of
from chalicelib.core.flows.dispatch_executions import start_enqueueing
from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.core.flows.progress import counters_of
from chalicelib.errors import Conflict, GiveUp, RetryLater
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.execution import Execution, ExecutionStatus, parse_execution_id
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, NodeId, WorkspaceUid, new_uid
from chalicelib.model.queue_messages import EnrolContacts, Recount
from chalicelib.ports import Ports

#: Executions enrolled between two checks of the time. A chunk holds at most 2,000.
PAGE = 500
#: Time kept to enqueue the job for the rest of the chunk.
RESERVE = timedelta(seconds=10)
#: Attempts to mark a chunk as enrolled against other jobs of the flow.
MARK_TRIES = 20


def enrol_contacts(ports: Ports, job: EnrolContacts, time_left: Callable[[], timedelta]) -> None:
    """Enrol a chunk by conditional inserts, so that a repeated job changes nothing."""
    workspace = job.workspace
    flow = ports.catalog.find(workspace, Flow, job.flow)
    if flow is None or flow.is_over or flow.status is FlowStatus.DRAFT:
        return
    if job.chunk in flow.expanded_chunks:
        return
    try:
        start = start_node(ports, workspace, flow)
    except GiveUp as error:
        fail_flow(ports, workspace, flow, str(error))
        return
    entries = ports.chunks.get_chunk(workspace, Flow, job.flow, job.chunk)
    for offset in range(job.offset, len(entries), PAGE):
        if time_left() < RESERVE:
            ports.jobs.send(job.model_copy(update={"offset": offset}))
            return
        page, now = entries[offset : offset + PAGE], ports.clock.now()
        executions = [build_execution(workspace, flow, entry, start, now) for entry in page]
        enrol(ports, workspace, flow, _with_origin(ports, workspace, flow, executions))
    complete_chunk(ports, workspace, job.flow, job.chunk)


def start_node(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> NodeId:
    """Return the first node. Raises GiveUp if the campaign version does not exist."""
    version = ports.versions.find_version(
        workspace, Campaign, flow.campaign_uid, flow.campaign_version or 0, CampaignVersion
    )
    start = graph_of(ports, workspace, version).start if version else None
    if start is None:
        raise GiveUp("version_missing", f"Campaign {flow.campaign_uid} has no version {flow.campaign_version}")
    return start


def build_execution(workspace: WorkspaceUid, flow: Flow, entry: str, start: NodeId, now: datetime) -> Execution:
    """Build an execution. `entry` is a contact, or in a retry `execution@node`: the node at which it continues."""
    execution_id, _, node = entry.partition("@")
    return Execution(
        key=parse_execution_id(workspace, FlowUid(flow.uid), execution_id),
        status=ExecutionStatus.PENDING,
        seq=0,
        node=NodeId(node) if node else start,
        version=flow.campaign_version or 0,
        created=now,
        updated=now,
        entered=now,
        single_node=flow.retry_of is not None and flow.retry_of.only,
    )


def _with_origin(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, executions: Sequence[Execution]
) -> Sequence[Execution]:
    """Return the executions of a retry with the version and the event of the retried ones."""
    of = ports.catalog.find(workspace, Flow, flow.retry_of.flow_uid) if flow.retry_of else None
    if of is None:
        return executions
    keys = {each.key: replace(each.key, flow=FlowUid(of.uid)) for each in executions}
    retried = ports.executions.find_many(list(keys.values()), of.shards, strong=True)
    return [
        replace(each, version=known.version, cause=known.cause) if (known := retried.get(keys[each.key])) else each
        for each in executions
    ]


def enrol(ports: Ports, workspace: WorkspaceUid, flow: Flow, executions: Sequence[Execution]) -> None:
    """Insert executions that do not exist, and count them.

    Each page updates the statistics, so that the watchdog sees that the job is active.
    """
    new = set(ports.executions.enrol_many(executions, flow.shards)) if executions else set()
    counters = Counter(movements=1)
    for each in executions:
        if each.key in new:
            counters.update(counters_of(each))
    ports.statistics.record_batch(workspace, FlowUid(flow.uid), flow.stats_epoch, new_uid(), counters)


def complete_chunk(ports: Ports, workspace: WorkspaceUid, uid: str, chunk: int, found: int = 0) -> None:
    """Mark a chunk as enrolled. The last one makes the flow expanded and, if it is queued, running.

    `found`: contacts of the chunk that the size of the flow does not include yet.
    """
    for _ in range(MARK_TRIES):
        flow = ports.catalog.get(workspace, Flow, uid)
        if flow.status is FlowStatus.CANCELLED:
            # The pass that skips the open executions may have finished before these were enrolled.
            ports.jobs.send(Recount(workspace=workspace, flow=flow.uid, pass_id=new_uid()))
        if flow.is_over or flow.status is FlowStatus.DRAFT or chunk in flow.expanded_chunks:
            return
        try:
            saved = ports.catalog.save(workspace, flow.with_enrolled_chunk(chunk, found, ports.clock.now()))
        except Conflict:
            continue
        if saved.is_expanded and saved.status is FlowStatus.RUNNING:
            start_enqueueing(ports, workspace, saved)
        return
    raise RetryLater("The flow was changed by too many jobs at the same time; try again")
