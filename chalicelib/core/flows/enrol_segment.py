"""Enrol the members of a segment. The first job makes a plan, and further jobs page through the shards of contacts.

The plan is chunk 0 of the flow. It holds the filter and the time for which the filter is evaluated. It is stored in one
write with the number of chunks, so every job uses the same filter, also when it is repeated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from chalicelib.core.flows.create_flow import count_shards
from chalicelib.core.flows.enrol_contacts import build_execution, complete_chunk, enrol, start_node
from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.core.flows.start_flow import resume_enrolment
from chalicelib.core.segments.count_members import PAGE, PAGE_WITH_EVENTS, count_members
from chalicelib.core.segments.filter import Members, compile_filter
from chalicelib.core.segments.select_members import select_members
from chalicelib.errors import Conflict, GiveUp, RetryLater
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.contact_shards import CONTACT_SHARDS
from chalicelib.model.flow import CONTACTS_PER_SHARD, Flow, FlowStatus
from chalicelib.model.ids import NodeId, WorkspaceUid
from chalicelib.model.queue_messages import EnrolSegment
from chalicelib.model.segment import Segment, SegmentFilter
from chalicelib.ports import Ports

PLAN = 0
#: Contacts of the workspace per job. There is at most one job per shard of contacts.
CONTACTS_PER_JOB = CONTACTS_PER_SHARD
#: Time kept for the current page. In the worst case each of its contacts needs a query.
RESERVE = timedelta(seconds=15)
#: Time for counting members in the plan.
COUNTING = timedelta(seconds=3)
#: Attempts to save the plan against concurrent changes of the flow.
TRIES = 5


class EnrolmentPlan(StrictModel):
    """The filter of the segment, and the time for which all jobs evaluate it."""

    filter: SegmentFilter
    now: Moment


@dataclass(frozen=True, slots=True)
class _Search:
    """The search of one job through its shards."""

    ports: Ports
    workspace: WorkspaceUid
    members: Members
    now: datetime
    start: NodeId
    #: Number of jobs among which the shards are distributed in turn.
    parts: int

    @classmethod
    def of(cls, ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Self:
        """Read the plan of the flow. Raises GiveUp if the plan or the campaign version does not exist."""
        stored = ports.chunks.get_chunk(workspace, Flow, flow.uid, PLAN)
        if not stored:
            raise GiveUp("plan_missing", f"Flow {flow.uid} has no enrolment plan")
        plan = EnrolmentPlan.model_validate_json(stored[0], extra="ignore")
        members = compile_filter(plan.filter, plan.now)
        return cls(ports, workspace, members, plan.now, start_node(ports, workspace, flow), flow.chunks - 1)

    def enrol_page(self, flow: Flow, job: EnrolSegment, shard: int) -> EnrolSegment:
        """Enrol the members of one page and return the job for the next one."""
        limit = PAGE_WITH_EVENTS if self.members.required_events else PAGE
        page = self.ports.contact_shards.page_shard(self.workspace, shard, limit, job.cursor)
        # A contact that was created later is not a member at the start.
        candidates = [contact for contact in page.items if contact.created_at <= self.now]
        chosen = select_members(self.ports, self.workspace, self.members, candidates)
        self._enrol(flow, [contact.uid for contact in chosen])
        following = shard if page.cursor else shard + self.parts
        changes = {"shard": following, "cursor": page.cursor, "found": job.found + len(chosen)}
        return job.model_copy(update=changes)

    def _enrol(self, flow: Flow, uids: Sequence[str]) -> None:
        now = self.ports.clock.now()
        enrol(
            self.ports,
            self.workspace,
            flow,
            [build_execution(self.workspace, flow, uid, self.start, now) for uid in uids],
        )


def expand_segment(ports: Ports, job: EnrolSegment, time_left: Callable[[], timedelta]) -> None:
    """Plan or enrol. A repeated job keeps the plan and inserts nothing twice.

    The job ends when the flow is paused; the resume sends it again.
    """
    workspace = job.workspace
    flow = ports.catalog.find(workspace, Flow, job.flow)
    if flow is None or flow.status is not FlowStatus.QUEUED:
        return
    try:
        if job.chunk == PLAN:
            if planned := _planned(ports, workspace, flow):
                resume_enrolment(ports, workspace, planned)
        elif job.chunk not in flow.expanded_chunks:
            _expand(_Search.of(ports, workspace, flow), job, time_left)
    except GiveUp as error:
        fail_flow(ports, workspace, flow, str(error))


def _expand(search: _Search, job: EnrolSegment, time_left: Callable[[], timedelta]) -> None:
    """Enrol page after page. The flow is read before each page, so that a pause or a cancel takes effect."""
    ports, workspace = search.ports, search.workspace
    while True:
        shard = job.chunk - 1 if job.shard is None else job.shard
        if shard >= CONTACT_SHARDS:
            complete_chunk(ports, workspace, job.flow, job.chunk, job.found)
            return
        flow = ports.catalog.find(workspace, Flow, job.flow)
        if flow is None or flow.status is not FlowStatus.QUEUED:
            return
        if time_left() < RESERVE:
            ports.jobs.send(job)
            return
        job = search.enrol_page(flow, job, shard)


def _planned(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow | None:
    """Return the flow with its plan, or None if the flow was stopped. Raises GiveUp if the segment was deleted."""
    for _ in range(TRIES):
        if PLAN in flow.expanded_chunks:
            return flow
        try:
            return _plan(ports, workspace, flow)
        except Conflict:
            flow = ports.catalog.get(workspace, Flow, flow.uid)
            if flow.status is not FlowStatus.QUEUED:
                return None
    raise RetryLater("The flow was changed at the same time; try again")


def _plan(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Flow:
    """Make the plan. Shards depend on the largest expected number of members, jobs on the number of contacts."""
    segment = ports.catalog.find(workspace, Segment, flow.segment_uid or "")
    if segment is None:
        raise GiveUp("segment_missing", f"Segment {flow.segment_uid} was not found")
    plan = EnrolmentPlan(filter=segment.filter, now=flow.queued_at or ports.clock.now())
    end = ports.clock.real() + COUNTING
    members = compile_filter(plan.filter, plan.now)
    counted = count_members(ports, workspace, members, lambda: end - ports.clock.real(), keep=0)
    jobs = max(1, min(CONTACT_SHARDS, counted.contacts // CONTACTS_PER_JOB))
    planned = flow.with_enrolment_plan(jobs, count_shards(counted.members_found.count + counted.members_found.error))
    return ports.chunks.save_with_chunks(workspace, planned, {PLAN: [plan.model_dump_json()]})
