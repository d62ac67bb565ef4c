"""Webhooks out, by two functions: one reads, signs and keeps the books; the other calls, and may do nothing else."""

from chalice.app import Blueprint, SQSEvent
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.notifications.deliver_webhooks import call_webhook, record_attempt, send_due
from chalicelib.errors import CarillonError
from chalicelib.model.webhook import CallResult, DeliveryJob, OutgoingCall
from chalicelib.telemetry import log_fault, log_info, log_warning
from chalicelib.wiring import ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, reason_of, records_of

blueprint = Blueprint(__name__)
_LETTER: TypeAdapter[DeliveryJob | CallResult] = TypeAdapter(DeliveryJob | CallResult)


@blueprint.on_sqs_message(queue="${WebhookDesk.QueueName}", batch_size=10, name="tend_webhooks")
def dispatch_webhooks(event: SQSEvent) -> Failures:
    """What is due goes to the queue of calls; what was called is noted. A message that fails comes again."""
    return failures([record.id for record in records_of(event) if not _tend(record)])


@blueprint.on_sqs_message(queue="${WebhookQueue.QueueName}", batch_size=1, name="call_webhooks")
def call_webhooks(event: SQSEvent) -> Failures:
    """One call of a stranger's server; one that gets stuck holds up no other."""
    return failures([record.id for record in records_of(event) if not _call(record)])


def _tend(record: QueueRecord) -> bool:
    try:
        letter = _LETTER.validate_json(record.body)
    except ValidationError as error:
        log_warning("webhooks.unreadable", message_id=record.id, reason=reason_of(error))
        return False
    try:
        if isinstance(letter, CallResult):
            record_attempt(ports(), letter)
        else:
            for uid in letter.uids:
                send_due(ports(), letter.workspace, uid)
    except CarillonError as error:
        log_fault("webhooks.failed", error, message_id=record.id, times=record.times)
        return False
    return True


def _call(record: QueueRecord) -> bool:
    try:
        call = OutgoingCall.model_validate_json(record.body)
    except ValidationError as error:
        log_warning("webhooks.unreadable", message_id=record.id, reason=reason_of(error))
        return False
    result = call_webhook(ports(), call)
    try:
        ports().webhook_scheduler.report(result)
    except CarillonError as error:
        # The call is not made again for it: the delivery is due once more when its lease is over.
        log_fault("webhooks.unreported", error, delivery=call.delivery)
    log_info(
        "webhooks.called", workspace=call.workspace, delivery=call.delivery, status=result.status, fault=result.fault
    )
    return True
