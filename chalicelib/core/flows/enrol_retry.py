"""Enrols whom a retry of a large flow is for, out of one shard of that flow's rows after the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from chalicelib.core.flows.enrol_contacts import build_row, complete_chunk, enrol, start_node
from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.core.flows.find_retried import Retries, messages_already_retried
from chalicelib.core.flows.retry_selection import retry_start
from chalicelib.errors import GiveUp
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import EnrolRetry
from chalicelib.ports import Ports

#: Rows read between two looks at the time and at the flow.
PAGE = 500
#: Time kept to enrol the page that is begun.
RESERVE = timedelta(seconds=10)


def expand_retry(ports: Ports, job: EnrolRetry, time_left: Callable[[], timedelta]) -> None:
    """Conditional inserts: a repeated job finds its rows. It stops when the flow is paused, and resume sends it."""
    workspace, retries = job.workspace, None
    while flow := _still_queued(ports, workspace, job):
        of = ports.catalog.find(workspace, Flow, flow.retry_of.flow_uid) if flow.retry_of else None
        if of is None:
            fail_flow(ports, workspace, flow, "The flow that this one retries was deleted")
            return
        if time_left() < RESERVE:
            ports.jobs.send(job)
            return
        try:
            retries = retries or messages_already_retried(ports, workspace, of, but=flow.uid)
            job = _enrol_page(ports, flow, of, job, retries)
        except GiveUp as error:
            fail_flow(ports, workspace, flow, str(error))
            return
        if job.cursor is None:
            complete_chunk(ports, workspace, job.flow, job.chunk, job.found)
            return


def _still_queued(ports: Ports, workspace: WorkspaceUid, job: EnrolRetry) -> Flow | None:
    """The flow while this part of it is to be enrolled."""
    flow = ports.catalog.find(workspace, Flow, job.flow)
    if flow is None or flow.status is not FlowStatus.QUEUED or job.chunk in flow.expanded_chunks:
        return None
    return flow


def _enrol_page(ports: Ports, flow: Flow, of: Flow, job: EnrolRetry, retries: Retries) -> EnrolRetry:
    """The job that goes on behind the page; without a cursor when it was the last. GiveUp as start_node says."""
    workspace = job.workspace
    start, now = start_node(ports, workspace, flow), ports.clock.now()
    page = ports.executions.page(workspace, FlowUid(of.uid), job.chunk, PAGE, job.cursor)
    done = retries.find(ports, page.items, flow.retry_of) if flow.retry_of else {}
    found = [
        # Each walk keeps the version and the event with which it started.
        replace(build_row(workspace, flow, entry, start, now), version=row.version, cause=row.cause)
        for row in page.items
        if flow.retry_of and (entry := retry_start(row, flow.retry_of, done.get(row.key, frozenset())))
    ]
    enrol(ports, workspace, flow, found)
    return job.model_copy(update={"cursor": page.cursor, "found": job.found + len(found)})
