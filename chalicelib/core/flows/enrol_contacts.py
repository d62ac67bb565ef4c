"""Enrols the contacts of one chunk of a flow's audience, then, when it was the last, starts the dispatch."""

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

#: Rows enrolled between two looks at the time; a chunk holds at most 2,000.
PAGE = 500
#: Time kept to hand the rest of a chunk to the next message.
RESERVE = timedelta(seconds=10)
#: Tries to note a finished chunk against other jobs that finish theirs.
NOTE_TRIES = 20


def enrol_contacts(ports: Ports, job: EnrolContacts, time_left: Callable[[], timedelta]) -> None:
    """Conditional inserts: a repeated job finds its rows and changes nothing."""
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
        rows = [build_row(workspace, flow, entry, start, now) for entry in page]
        enrol(ports, workspace, flow, _as_before(ports, workspace, flow, rows))
    complete_chunk(ports, workspace, job.flow, job.chunk)


def start_node(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> NodeId:
    """Where its rows begin; GiveUp when its campaign version is gone."""
    version = ports.versions.find_version(
        workspace, Campaign, flow.campaign_uid, flow.campaign_version or 0, CampaignVersion
    )
    start = graph_of(ports, workspace, version).start if version else None
    if start is None:
        raise GiveUp("version_missing", f"Campaign {flow.campaign_uid} has no version {flow.campaign_version}")
    return start


def build_row(workspace: WorkspaceUid, flow: Flow, entry: str, start: NodeId, now: datetime) -> Execution:
    """An entry is a contact, or in a retry `walk@node`: where this walk goes on."""
    walk, _, node = entry.partition("@")
    return Execution(
        key=parse_execution_id(workspace, FlowUid(flow.uid), walk),
        status=ExecutionStatus.PENDING,
        seq=0,
        node=NodeId(node) if node else start,
        version=flow.campaign_version or 0,
        created=now,
        updated=now,
        entered=now,
        single_node=flow.retry_of is not None and flow.retry_of.only,
    )


def _as_before(ports: Ports, workspace: WorkspaceUid, flow: Flow, rows: Sequence[Execution]) -> Sequence[Execution]:
    """In a retry each walk keeps the version and the event with which it started."""
    of = ports.catalog.find(workspace, Flow, flow.retry_of.flow_uid) if flow.retry_of else None
    if of is None:
        return rows
    keys = {row.key: replace(row.key, flow=FlowUid(of.uid)) for row in rows}
    before = ports.executions.find_many(list(keys.values()), of.shards, strong=True)
    return [
        replace(row, version=known.version, cause=known.cause) if (known := before.get(keys[row.key])) else row
        for row in rows
    ]


def enrol(ports: Ports, workspace: WorkspaceUid, flow: Flow, rows: Sequence[Execution]) -> None:
    """Inserts those that are not there. Each page is a movement, so that the watchdog sees that the job lives."""
    new = set(ports.executions.enrol_many(rows, flow.shards)) if rows else set()
    counters = Counter(movements=1)
    for row in rows:
        if row.key in new:
            counters.update(counters_of(row))
    ports.statistics.record_batch(workspace, FlowUid(flow.uid), flow.stats_epoch, new_uid(), counters)


def complete_chunk(ports: Ports, workspace: WorkspaceUid, uid: str, chunk: int, found: int = 0) -> None:
    """Marks the chunk done; who marks the last one makes the flow expanded and, if it may run, running.

    `found`: contacts in it that the flow did not know of.
    """
    for _ in range(NOTE_TRIES):
        flow = ports.catalog.get(workspace, Flow, uid)
        if flow.status is FlowStatus.CANCELLED:
            # The pass that settles the cancelled rows may have gone by before these were enrolled.
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
    raise RetryLater("The flow is being changed by many jobs at once")
