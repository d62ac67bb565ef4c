"""The header Idempotency-Key: a repeated call gets the first response and is not executed again.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from chalicelib.api.http.call import ApiResponse, Call
from chalicelib.api.http.routes import Route
from chalicelib.core.workspaces.idempotency import IdempotencyClaim, begin_call, complete_call, read_body, release_call
from chalicelib.errors import CarillonError, Conflict, Forbidden, InvalidRequest, NotFound
from chalicelib.model.idempotency_record import StoredResponse

HEADER = "idempotency-key"
#: Errors that are raised before anything is written.
_NOTHING_DONE = (InvalidRequest, Forbidden, NotFound, Conflict)


def answer_once(
    call: Call[Any, Any], route: Route, raw: bytes, handler: Callable[[Call[Any, Any]], ApiResponse[Any]]
) -> ApiResponse[Any]:
    """Run the handler, unless the same call was made before. `raw` is the unparsed body."""
    key = call.headers.get(HEADER) if route.takes_idempotency_key else None
    if key is None:
        return handler(call)
    found = begin_call(call.ports, call.workspace, key, _fingerprint(call, route, raw))
    if isinstance(found, StoredResponse):
        return ApiResponse(found.status, read_body(call.ports, found), {"Idempotent-Replayed": "true"})
    claimed = replace(call, reserved_uid=found.call.reserved_uid, is_taken_over=found.is_taken_over)
    return _run(claimed, found, handler)


def _run(
    call: Call[Any, Any], claim: IdempotencyClaim, handler: Callable[[Call[Any, Any]], ApiResponse[Any]]
) -> ApiResponse[Any]:
    try:
        answer = handler(call)
    except CarillonError as error:
        release_call(call.ports, call.workspace, claim, nothing_done=isinstance(error, _NOTHING_DONE))
        raise
    except Exception:
        release_call(call.ports, call.workspace, claim, nothing_done=False)
        raise
    complete_call(call.ports, call.workspace, claim, answer.status, answer.text if answer.kept is None else answer.kept)
    return answer


def _fingerprint(call: Call[Any, Any], route: Route, raw: bytes) -> str:
    """Hash the call with its raw body. Paths with and without `/v1` are equal."""
    query = call.query.model_dump_json(exclude_unset=True)
    call_id = json.dumps([route.name, dict(call.path), query]).encode()
    return sha256(call_id + b"\n" + raw).hexdigest()
