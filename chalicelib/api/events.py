"""The route by which customers' systems tell what contacts did."""

from collections.abc import Sequence

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, endpoint, respond
from chalicelib.core.events.accept_events import EventOutcome, NewEvent, NewEvents, accept_events
from chalicelib.model.workspace import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST /v1/events", scope=Scope.WRITE, body=NewEvents, idempotent=True)
def post_events(call: Call[NewEvents, NoBody]) -> ApiResponse:
    """Up to 100 events; each has a result of its own. What is accepted is queued and not lost."""
    reports = accept_events(call.ports, call.workspace, _named(call))
    accepted = sum(report.problem is None for report in reports)
    shown = {"accepted": accepted, "results": [_show(index, report) for index, report in enumerate(reports)]}
    return respond(shown, f"{accepted} of {len(reports)} events accepted", 202)


def _named(call: Call[NewEvents, NoBody]) -> Sequence[NewEvent]:
    """An event that has no id gets one of the Idempotency-Key, so that whoever repeats the call reports the same."""
    if call.reserved_uid is None:
        return call.body.events
    return [
        each if each.id else each.model_copy(update={"id": f"{call.reserved_uid}.{index}"})
        for index, each in enumerate(call.body.events)
    ]


def _show(index: int, report: EventOutcome) -> dict[str, object]:
    shown: dict[str, object] = {"id": report.id, "contactUid": report.contact_uid}
    if report.problem is None:
        return {**shown, "status": "accepted"}
    field = f"events[{index}].{report.problem.field}"
    return {**shown, "status": "refused", "field": field, "message": report.problem.message}
