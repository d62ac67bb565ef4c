"""Lets every call that may change something leave its trace, whatever becomes of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.api._call import Answer, Call
from chalicelib.api._routes import Route
from chalicelib.core.workspaces.record_audit import Trail, keep_trail, listen
from chalicelib.errors import CarillonError
from chalicelib.telemetry import log_fault

_WITHOUT_CHANGES = frozenset({"GET", "HEAD", "OPTIONS"})
Handler = Callable[[Call[Any, Any]], Answer]


def audited(route: Route, request_id: str, handler: Handler) -> Handler:
    """The handler, given ports that note what it changes."""
    if route.method in _WITHOUT_CHANGES or route.scope is None:
        return handler

    def run(call: Call[Any, Any]) -> Answer:
        trail = Trail()
        try:
            answer = handler(replace(call, ports=listen(call.ports, trail)))
        except Exception:
            _keep(call, trail, route, request_id, 0)
            raise
        _keep(call, trail, route, request_id, answer.status)
        return answer

    return run


def _keep(call: Call[Any, Any], trail: Trail, route: Route, request_id: str, status: int) -> None:
    """The change is made: where its trace cannot be kept, the log has it."""
    if call.key is None:
        return
    try:
        keep_trail(call.ports, call.workspace, trail, call.key, (route.name, request_id, status))
    except CarillonError as error:
        objects = " ".join(f"{each.action}:{each.kind}:{each.uid}" for each in trail.changes)
        log_fault("audit.lost", error, request=request_id, route=route.name, key=call.key.uid, objects=objects)
