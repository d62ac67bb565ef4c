"""Redrive dead letters. A repeated step message does no harm, because the stored execution decides what to do.

A message also lands here after an outage longer than five deliveries. Steps count the faults of an execution
themselves, so a poisoned one ends by that count and is not redriven for ever.
"""

from datetime import timedelta

from chalice.app import Blueprint, SQSEvent
from pydantic import TypeAdapter, ValidationError

from chalicelib.model.queue_messages import Job, ScheduledStep, StepMessage
from chalicelib.telemetry import log_info, log_warning
from chalicelib.wiring import ports
from chalicelib.workers._sqs import Failures, failures, reason_of, records_of

blueprint = Blueprint(__name__)
#: Delay before a dead letter is processed again, because the failed service may still be down.
PAUSE = timedelta(minutes=5)
_JOB: TypeAdapter[Job] = TypeAdapter(Job)


@blueprint.on_sqs_message(queue="${StepDeadLetters.QueueName}", batch_size=10, name="revive_steps")
def redrive_steps(event: SQSEvent) -> Failures:
    """Send readable step messages again. Unreadable ones stay in the queue and keep its alarm on."""
    unreadable = []
    now = ports().clock.now()
    steps = []
    for record in records_of(event):
        try:
            message = StepMessage.model_validate_json(record.body).model_copy(update={"redriven": True})
            steps.append(ScheduledStep(message, now + PAUSE))
        except ValidationError as error:
            log_warning("deadletters.unreadable", message_id=record.id, reason=reason_of(error))
            unreadable.append(record.id)
    ports().steps.send(steps, now)
    log_info("deadletters.redriven", steps=len(steps))
    return failures(unreadable)


@blueprint.on_sqs_message(queue="${JobDeadLetters.QueueName}", batch_size=10, name="revive_jobs")
def redrive_jobs(event: SQSEvent) -> Failures:
    """Send readable jobs again. Jobs are idempotent."""
    unreadable = []
    for record in records_of(event):
        try:
            ports().jobs.send(_JOB.validate_json(record.body), PAUSE)
            log_info("deadletters.redriven", message_id=record.id)
        except ValidationError as error:
            log_warning("deadletters.unreadable", message_id=record.id, reason=reason_of(error))
            unreadable.append(record.id)
    return failures(unreadable)
