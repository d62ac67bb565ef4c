"""Write an audit entry for every call that changes data, also if the call fails."""

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
    """Return the handler with ports that record its changes."""
    if route.method in _WITHOUT_CHANGES or route.scope is None:
        return handler

    def run(call: Call[Any, Any]) -> ApiResponse[Any]:
        changes = ChangeLog()
        try:
            answer = handler(replace(call, ports=record_changes(call.ports, changes)))
        except Exception:
            _write(call, changes, route, request_id, 0)
            raise
        _write(call, changes, route, request_id, answer.status)
        return answer

    return run


def _write(call: Call[Any, Any], changes: ChangeLog, route: Route, request_id: str, status: int) -> None:
    """Write the entry. The change is made already, so if this fails, the log gets the entry."""
    if call.key is None:
        return
    try:
        write_audit_entries(call.ports, call.workspace, changes, call.key, (route.name, request_id, status))
    except CarillonError as error:
        objects = " ".join(f"{each.action}:{each.kind}:{each.uid}" for each in changes.changes)
        log_fault("audit.lost", error, request=request_id, route=route.name, key=call.key.uid, objects=objects)
