"""Run background jobs: enrolment, dispatch, recount, timers, and the rare ones."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

from chalice.app import Blueprint, SQSEvent
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.flows.dispatch_executions import enqueue_pending
from chalicelib.core.flows.enrol_contacts import enrol_contacts
from chalicelib.core.flows.enrol_segment import expand_segment
from chalicelib.core.queueing.release_timers import release_timers
from chalicelib.core.reconciliation.recount_flow import recount_flow
from chalicelib.errors import CarillonError
from chalicelib.model.queue_messages import (
    EnqueuePending,
    EnrolContacts,
    EnrolRetry,
    EnrolSegment,
    Job,
    Recount,
    ReleaseTimers,
)
from chalicelib.ports import Ports
from chalicelib.telemetry import count, log_fault, log_info, log_warning
from chalicelib.wiring import metered, ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, reason_of, records_of, time_left_of

blueprint = Blueprint(__name__)
_JOB: TypeAdapter[Job] = TypeAdapter(Job)


@blueprint.on_sqs_message(queue="${JobQueue.QueueName}", batch_size=1, name="run_jobs")
def run_jobs(event: SQSEvent) -> Failures:
    """Run each job separately. SQS delivers a failed one again and moves it to the dead-letter queue."""
    time_left, records = time_left_of(event), records_of(event)
    failed = [record.id for record in records if not _succeeds(record, time_left)]
    count("jobs", {"Records": len(records), "GivenBack": len(failed)})
    return failures(failed)


def _succeeds(record: QueueRecord, time_left: Callable[[], timedelta]) -> bool:
    try:
        job = _JOB.validate_json(record.body)
    except ValidationError as error:
        log_warning("jobs.unreadable", message_id=record.id, reason=reason_of(error))
        return False
    try:
        _run(job, time_left)
    except CarillonError as error:
        log_fault("jobs.failed", error, kind=job.kind, message_id=record.id, times=record.times)
        return False
    log_info("jobs.done", kind=job.kind)
    return True


def _run(job: Job, time_left: Callable[[], timedelta]) -> None:
    """Run a job and attribute its AWS usage to its flow, if it has one."""
    flow_job = job if isinstance(job, EnrolContacts | EnrolSegment | EnrolRetry | EnqueuePending | Recount) else None
    metering = metered(flow_job.workspace, flow_job.flow) if flow_job else nullcontext()
    with metering:
        run_job(ports(), job, time_left)


def run_job(ports: Ports, job: Job, time_left: Callable[[], timedelta]) -> None:
    """Call the use case of a job."""
    match job:
        case EnrolContacts():
            enrol_contacts(ports, job, time_left)
        case EnrolSegment():
            expand_segment(ports, job, time_left)
        case EnqueuePending():
            enqueue_pending(ports, job, time_left)
        case Recount():
            recount_flow(ports, job, time_left)
        case ReleaseTimers():
            release_timers(ports, job)
        case _:
            # Imported on demand: it takes 15 ms, and most cold starts are for jobs of a flow.
            from chalicelib.workers.rare_jobs import run_rare_job  # noqa: PLC0415  see above

            run_rare_job(ports, job, time_left)
