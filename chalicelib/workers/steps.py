"""Runs steps: one message of the step queue is one step of one execution."""

import time

from chalice.app import Blueprint, SQSEvent
from pydantic import ValidationError

from chalicelib.core.steps.process_steps import ReceivedStep
from chalicelib.core.steps.process_steps import process_steps as run
from chalicelib.model.queue_messages import StepMessage
from chalicelib.telemetry import count, log_fault, log_info, log_warning
from chalicelib.wiring import metered, ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, reason_of, records_of, time_left_of

blueprint = Blueprint(__name__)
#: Counters of the statistics → metrics of the dashboard and the alarms.
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
    """Unreadable messages go to the dead-letter queue by failing each time; they do not hold up their neighbours."""
    started = time.monotonic()
    records = records_of(event)
    received = [hint for record in records if (hint := _read(record))]
    unreadable = {record.id for record in records} - {hint.id for hint in received}
    with metered():
        report = run(ports(), received, time_left_of(event))
    given_back = report.given_back | unreadable
    for fault in report.faults:
        log_fault("steps.fault", fault.error, about=fault.where)
    milliseconds = round((time.monotonic() - started) * 1000)
    log_info("steps.done", records=len(records), given_back=len(given_back), milliseconds=milliseconds)
    counted = {metric: report.counted.get(counter, 0) for counter, metric in METRICS.items()}
    batch = {"Records": len(records), "GivenBack": len(given_back), "Faults": len(report.faults)}
    count("steps", {**batch, **counted, "Milliseconds": milliseconds})
    return failures(given_back)


def _read(record: QueueRecord) -> ReceivedStep | None:
    try:
        return ReceivedStep(record.id, StepMessage.model_validate_json(record.body), record.times)
    except ValidationError as error:
        log_warning("steps.unreadable", message_id=record.id, reason=reason_of(error))
        return None
