"""Takes receipts from their queue: what SNS brings of AWS's channels, callbacks to our hooks, and followed links."""

from chalice.app import Blueprint, SQSEvent

from chalicelib.core.receipts.process_reports import record_receipts as record
from chalicelib.telemetry import count, log_debug, log_fault, log_warning
from chalicelib.wiring import metered, ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, records_of

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue="${ReceiptQueue.QueueName}", batch_size=10, name="record_receipts")
def record_receipts(event: SQSEvent) -> Failures:
    """Each message by itself: one that fails comes again, and ends in the dead-letter queue."""
    records = records_of(event)
    with metered():
        failed = [each.id for each in records if not _take(each, is_redelivered=each.times > 1)]
    count("receipts", {"Records": len(records), "GivenBack": len(failed)})
    return failures(failed)


@blueprint.on_sqs_message(queue="${ReceiptDeadLetters.QueueName}", batch_size=10, name="revive_receipts")
def redrive_receipts(event: SQSEvent) -> Failures:
    """Dead letters are tried again every few minutes; those that stay are under the alarm, for a person to see."""
    return failures([record.id for record in records_of(event) if not _take(record, is_redelivered=True)])


def _take(found: QueueRecord, *, is_redelivered: bool) -> bool:
    try:
        recorded = record(ports(), found.body, is_redelivered)
    except Exception as error:  # noqa: BLE001 - an event that we misread must not take its neighbours with it
        log_fault("receipts.failed", error, message_id=found.id, times=found.times)
        return False
    if not recorded.reports:
        # Providers add kinds of events; one that nobody reads is not worth an alarm.
        log_warning("receipts.unread", message_id=found.id)
    log_debug("receipts.done", reports=recorded.reports, early=recorded.is_early)
    return True
