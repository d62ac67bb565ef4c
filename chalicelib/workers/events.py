"""Process the event queue: events of the API, of changed contacts, and of the EventBridge bus."""

from chalice.app import Blueprint, SQSEvent
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from chalicelib.core.events.accept_events import NewEvent, accept_events
from chalicelib.core.events.ingest_events import ingest_events
from chalicelib.errors import CarillonError
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.queue_messages import EventBatch
from chalicelib.model.workspace import Workspace
from chalicelib.telemetry import count, log_fault, log_info, log_warning
from chalicelib.wiring import metered, ports
from chalicelib.workers._sqs import Failures, QueueRecord, failures, reason_of, records_of

blueprint = Blueprint(__name__)


class BusDetail(NewEvent):
    """The `detail` that a customer's system puts on the bus: an event and its workspace."""

    workspace_uid: str


class BusEvent(BaseModel):
    """The used fields of the EventBridge envelope."""

    id: str
    time: AwareDatetime
    detail: BusDetail


_MESSAGE: TypeAdapter[EventBatch | BusEvent] = TypeAdapter(EventBatch | BusEvent)


@blueprint.on_sqs_message(queue="${EventQueue.QueueName}", batch_size=10, name="run_events")
def run_events(event: SQSEvent) -> Failures:
    """Process each message separately. SQS delivers a failed one again and moves it to the dead-letter queue."""
    records = records_of(event)
    with metered():
        failed = [record.id for record in records if not _process(record)]
    count("events", {"Records": len(records), "GivenBack": len(failed)})
    return failures(failed)


@blueprint.on_sqs_message(queue="${EventDeadLetters.QueueName}", batch_size=10, name="revive_events")
def redrive_events(event: SQSEvent) -> Failures:
    """Process dead letters again every few minutes. Those that fail stay in the queue and keep its alarm on."""
    return failures([record.id for record in records_of(event) if not _process(record)])


def _process(record: QueueRecord) -> bool:
    try:
        message = _MESSAGE.validate_json(record.body)
    except ValidationError as error:
        log_warning("events.unreadable", message_id=record.id, reason=reason_of(error))
        return False
    try:
        if isinstance(message, BusEvent):
            return _queue(message)
        entered = ingest_events(ports(), message.workspace, message.events)
    except CarillonError as error:
        log_fault("events.failed", error, message_id=record.id, times=record.times)
        return False
    log_info("events.done", events=len(message.events), entered=entered)
    return True


def _queue(message: BusEvent) -> bool:
    """Accept the event like one of the API. A missing id or time is taken from the EventBridge envelope."""
    detail = message.detail
    workspace = WorkspaceUid(detail.workspace_uid)
    if ports().catalog.find(workspace, Workspace, workspace) is None:
        log_warning("events.unknown_workspace", event_id=message.id)
        return False
    fields = detail.model_dump(exclude={"workspace_uid"}, exclude_none=True)
    event = NewEvent.model_validate({"id": message.id, "occurred_at": message.time, **fields})
    (outcome,) = accept_events(ports(), workspace, [event])
    if outcome.problem:
        log_warning("events.refused", event_id=message.id, field=outcome.problem.field)
    return True
