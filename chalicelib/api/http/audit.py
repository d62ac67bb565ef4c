"""Lets every call that may change something leave its trace, whatever becomes of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.api.http.call import ApiResponse, Call
from chalicelib.api.http.routes import Route
from chalicelib.core.workspaces.record_audit import ChangeLog, record_changes, write_audit_entries
from chalicelib.errors import CarillonError
from chalicelib.telemetry import log_fault

_WITHOUT_CHANGES = frozenset({"GET", "HEAD", "OPTIONS"})
Handler = Callable[[Call[Any, Any]], ApiResponse[Any]]


def audited(route: Route, request_id: str, handler: Handler) -> Handler:
    """The handler, given ports that note what it changes."""
    if route.method in _WITHOUT_CHANGES or route.scope is None:
        return handler

    def run(call: Call[Any, Any]) -> ApiResponse[Any]:
        trail = ChangeLog()
        try:
            answer = handler(replace(call, ports=record_changes(call.ports, trail)))
        except Exception:
            _keep(call, trail, route, request_id, 0)
            raise
        _keep(call, trail, route, request_id, answer.status)
        return answer

    return run


def _keep(call: Call[Any, Any], trail: ChangeLog, route: Route, request_id: str, status: int) -> None:
    """The change is made: where its trace cannot be kept, the log has it."""
    if call.key is None:
        return
    try:
        write_audit_entries(call.ports, call.workspace, trail, call.key, (route.name, request_id, status))
    except CarillonError as error:
        objects = " ".join(f"{each.action}:{each.kind}:{each.uid}" for each in trail.changes)
        log_fault("audit.lost", error, request=request_id, route=route.name, key=call.key.uid, objects=objects)
