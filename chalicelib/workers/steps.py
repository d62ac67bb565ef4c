"""Process step messages: one SQS message is one step of one execution."""

import time

from chalice.app import Blueprint, SQSEvent
from pydantic import ValidationError

from chalicelib.core.steps.process_steps import process_steps
from chalicelib.core.steps.triage import ReceivedStep
from chalicelib.model.queue_messages import StepMessage
from chalicelib.telemetry import count, log_fault, log_info, log_warning
from chalicelib.wiring import metered, ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, reason_of, records_of, time_left_of

blueprint = Blueprint(__name__)
#: Counters of a batch → CloudWatch metrics of the dashboard and the alarms.
METRICS = {
    "sent": "Sent",
    "unknown": "Unknown",
    "completed": "Completed",
    "failed": "Failed",
    "skipped": "Skipped",
    "channelPauses": "ChannelPauses",
    "lowBalances": "LowBalances",
}


@blueprint.on_sqs_message(queue="${StepQueue.QueueName}", batch_size=10, name="run_steps")
def run_steps(event: SQSEvent) -> Failures:
    """Process up to ten step messages. An unreadable one fails until SQS moves it to the dead-letter queue."""
    started = time.monotonic()
    records = records_of(event)
    received = [step for record in records if (step := _read(record))]
    unreadable = {record.id for record in records} - {step.id for step in received}
    with metered():
        report = process_steps(ports(), received, time_left_of(event))
    returned = report.returned | unreadable
    for fault in report.faults:
        log_fault("steps.fault", fault.error, about=fault.where)
    milliseconds = round((time.monotonic() - started) * 1000)
    log_info("steps.done", records=len(records), returned=len(returned), milliseconds=milliseconds)
    counted = {metric: report.counted.get(counter, 0) for counter, metric in METRICS.items()}
    batch = {"Records": len(records), "GivenBack": len(returned), "Faults": len(report.faults)}
    count("steps", {**batch, **counted, "Milliseconds": milliseconds})
    return failures(returned)


def _read(record: QueueRecord) -> ReceivedStep | None:
    try:
        return ReceivedStep(record.id, StepMessage.model_validate_json(record.body), record.times)
    except ValidationError as error:
        log_warning("steps.unreadable", message_id=record.id, reason=reason_of(error))
        return None
