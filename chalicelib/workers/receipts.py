"""Process the receipt queue: SNS notifications of AWS channels, provider callbacks, and visits of tracked links."""

from chalice.app import Blueprint, SQSEvent

from chalicelib.core.receipts.process_reports import record_receipts as record
from chalicelib.telemetry import count, log_debug, log_fault, log_warning
from chalicelib.wiring import metered, ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, records_of

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue="${ReceiptQueue.QueueName}", batch_size=10, name="record_receipts")
def record_receipts(event: SQSEvent) -> Failures:
    """Process each message separately. SQS delivers a failed one again and moves it to the dead-letter queue."""
    records = records_of(event)
    with metered():
        failed = [each.id for each in records if not _process(each, is_redelivered=each.times > 1)]
    count("receipts", {"Records": len(records), "GivenBack": len(failed)})
    return failures(failed)


@blueprint.on_sqs_message(queue="${ReceiptDeadLetters.QueueName}", batch_size=10, name="revive_receipts")
def redrive_receipts(event: SQSEvent) -> Failures:
    """Process dead letters again every few minutes. Those that fail stay in the queue and keep its alarm on."""
    return failures([record.id for record in records_of(event) if not _process(record, is_redelivered=True)])


def _process(queued: QueueRecord, *, is_redelivered: bool) -> bool:
    try:
        recorded = record(ports(), queued.body, is_redelivered)
    except Exception as error:  # noqa: BLE001 - one unreadable event must not fail the rest of the batch
        log_fault("receipts.failed", error, message_id=queued.id, times=queued.times)
        return False
    if not recorded.reports:
        # Providers add new kinds of events. An unknown one is ignored without an alarm.
        log_warning("receipts.unread", message_id=queued.id)
    log_debug("receipts.done", reports=recorded.reports, early=recorded.is_early)
    return True
