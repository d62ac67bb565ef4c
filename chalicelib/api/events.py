"""The route for events of contacts."""

from collections.abc import Sequence

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, endpoint, respond
from chalicelib.api.responses.events import EventResult, EventResults
from chalicelib.core.events.accept_events import EventOutcome, NewEvent, NewEvents, accept_events
from chalicelib.model.workspace import Scope

blueprint = Blueprint(__name__)


@endpoint(
    blueprint, "POST /v1/events", response=EventResults, status=202, scope=Scope.WRITE, body=NewEvents, idempotent=True
)
def post_events(call: Call[NewEvents, NoBody]) -> ApiResponse[EventResults]:
    """Accept up to 100 events. Each has its own result; an accepted event is stored in the queue."""
    reports = accept_events(call.ports, call.workspace, _named(call))
    accepted = sum(report.problem is None for report in reports)
    results = EventResults(
        accepted=accepted, results=tuple(_result(index, report) for index, report in enumerate(reports))
    )
    return respond(results, f"{accepted} of {len(reports)} events accepted", 202)


def _named(call: Call[NewEvents, NoBody]) -> Sequence[NewEvent]:
    """Derive missing event ids from the Idempotency-Key, so that a repeated call reports the same events."""
    if call.reserved_uid is None:
        return call.body.events
    return [
        each if each.id else each.model_copy(update={"id": f"{call.reserved_uid}.{index}"})
        for index, each in enumerate(call.body.events)
    ]


def _result(index: int, report: EventOutcome) -> EventResult:
    if report.problem is None:
        return EventResult(id=report.id, contact_uid=report.contact_uid, status="accepted")
    return EventResult(
        id=report.id,
        contact_uid=report.contact_uid,
        status="refused",
        field=f"events[{index}].{report.problem.field}",
        message=report.problem.message,
    )
