"""Enrol the contacts of a retry of a large flow, shard by shard of the retried flow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from chalicelib.core.flows.enrol_contacts import build_execution, complete_chunk, enrol, start_node
from chalicelib.core.flows.fail_flow import fail_flow
from chalicelib.core.flows.find_retried import Retries, messages_already_retried
from chalicelib.core.flows.retry_selection import retry_start
from chalicelib.errors import GiveUp
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.model.queue_messages import EnrolRetry
from chalicelib.ports import Ports

#: Executions read between two checks of the time and the flow.
PAGE = 500
#: Time kept to enrol the current page.
RESERVE = timedelta(seconds=10)


def expand_retry(ports: Ports, job: EnrolRetry, time_left: Callable[[], timedelta]) -> None:
    """Enrol one shard by conditional inserts, so that a repeated job changes nothing.

    The job ends when the flow is paused; the resume sends it again.
    """
    workspace, retries = job.workspace, None
    while flow := _find_queued(ports, workspace, job):
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


def _find_queued(ports: Ports, workspace: WorkspaceUid, job: EnrolRetry) -> Flow | None:
    """Return the flow while it is queued and this chunk is not enrolled, else None."""
    flow = ports.catalog.find(workspace, Flow, job.flow)
    if flow is None or flow.status is not FlowStatus.QUEUED or job.chunk in flow.expanded_chunks:
        return None
    return flow


def _enrol_page(ports: Ports, flow: Flow, of: Flow, job: EnrolRetry, retries: Retries) -> EnrolRetry:
    """Enrol one page and return the job for the next one, without a cursor after the last. Raises GiveUp."""
    workspace = job.workspace
    start, now = start_node(ports, workspace, flow), ports.clock.now()
    page = ports.executions.page(workspace, FlowUid(of.uid), job.chunk, PAGE, job.cursor)
    sent = retries.find(ports, page.items, flow.retry_of) if flow.retry_of else {}
    found = [
        # An execution keeps the version and the event of the retried one.
        replace(build_execution(workspace, flow, entry, start, now), version=each.version, cause=each.cause)
        for each in page.items
        if flow.retry_of and (entry := retry_start(each, flow.retry_of, sent.get(each.key, frozenset())))
    ]
    enrol(ports, workspace, flow, found)
    return job.model_copy(update={"cursor": page.cursor, "found": job.found + len(found)})
