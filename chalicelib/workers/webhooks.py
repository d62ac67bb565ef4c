"""Send webhooks with two functions: one reads and records deliveries, the other may only call receivers."""

from chalice.app import Blueprint, SQSEvent
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.notifications.deliver_webhooks import call_webhook, record_attempt, send_due
from chalicelib.errors import CarillonError
from chalicelib.model.webhook import CallResult, DeliveryJob, OutgoingCall
from chalicelib.telemetry import log_fault, log_info, log_warning
from chalicelib.wiring import ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, reason_of, records_of

blueprint = Blueprint(__name__)
_MESSAGE: TypeAdapter[DeliveryJob | CallResult] = TypeAdapter(DeliveryJob | CallResult)


@blueprint.on_sqs_message(queue="${WebhookDesk.QueueName}", batch_size=10, name="tend_webhooks")
def dispatch_webhooks(event: SQSEvent) -> Failures:
    """Send due deliveries to the queue of calls and record results. SQS delivers a failed message again."""
    return failures([record.id for record in records_of(event) if not _dispatch(record)])


@blueprint.on_sqs_message(queue="${WebhookQueue.QueueName}", batch_size=1, name="call_webhooks")
def call_webhooks(event: SQSEvent) -> Failures:
    """Call one receiver. The batch size is 1, so a slow receiver delays no other."""
    return failures([record.id for record in records_of(event) if not _call(record)])


def _dispatch(record: QueueRecord) -> bool:
    try:
        message = _MESSAGE.validate_json(record.body)
    except ValidationError as error:
        log_warning("webhooks.unreadable", message_id=record.id, reason=reason_of(error))
        return False
    try:
        if isinstance(message, CallResult):
            record_attempt(ports(), message)
        else:
            for uid in message.uids:
                send_due(ports(), message.workspace, uid)
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
        # The call is not repeated here. The delivery becomes due again when its lease ends.
        log_fault("webhooks.unreported", error, delivery=call.delivery)
    log_info(
        "webhooks.called", workspace=call.workspace, delivery=call.delivery, status=result.status, fault=result.fault
    )
    return True
