"""Gives dead letters another life: the row decides what a hint is worth, so hinting again is harmless.

An outage longer than five deliveries is not poison. What is poison is counted on the row by the steps themselves.
"""

from datetime import timedelta

from chalice.app import Blueprint, SQSEvent
from pydantic import TypeAdapter, ValidationError

from chalicelib.model.queue_messages import Job, ScheduledStep, StepMessage
from chalicelib.telemetry import log_info, log_warning
from chalicelib.wiring import ports
from chalicelib.workers._sqs import Failures, failures, reason_of, records_of

blueprint = Blueprint(__name__)
#: A dead letter waits this long before its next life: whatever was down may still be.
PAUSE = timedelta(minutes=5)
_JOB: TypeAdapter[Job] = TypeAdapter(Job)


@blueprint.on_sqs_message(queue="${StepDeadLetters.QueueName}", batch_size=10, name="revive_steps")
def redrive_steps(event: SQSEvent) -> Failures:
    """Readable hints are sent again; unreadable ones stay, under the alarm, for a person to see."""
    unreadable = []
    now = ports().clock.now()
    hints = []
    for record in records_of(event):
        try:
            hint = StepMessage.model_validate_json(record.body).model_copy(update={"redriven": True})
            hints.append(ScheduledStep(hint, now + PAUSE))
        except ValidationError as error:
            log_warning("deadletters.unreadable", message_id=record.id, reason=reason_of(error))
            unreadable.append(record.id)
    ports().steps.send(hints, now)
    log_info("deadletters.revived", steps=len(hints))
    return failures(unreadable)


@blueprint.on_sqs_message(queue="${JobDeadLetters.QueueName}", batch_size=10, name="revive_jobs")
def redrive_jobs(event: SQSEvent) -> Failures:
    """Jobs can be repeated as well: each finds done what was done."""
    unreadable = []
    for record in records_of(event):
        try:
            ports().jobs.send(_JOB.validate_json(record.body), PAUSE)
            log_info("deadletters.revived", message_id=record.id)
        except ValidationError as error:
            log_warning("deadletters.unreadable", message_id=record.id, reason=reason_of(error))
            unreadable.append(record.id)
    return failures(unreadable)
