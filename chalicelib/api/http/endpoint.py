"""Shared by all routes: registration, authentication, parsing, responses, errors and paging."""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, TypedDict, TypeVar, Unpack

from chalice.app import Blueprint, CORSConfig, Request, Response
from pydantic import BaseModel

from chalicelib.api.http.audit import audited
from chalicelib.api.http.auth import Keyring
from chalicelib.api.http.call import ApiResponse as ApiResponse  # noqa: PLC0414  The same.
from chalicelib.api.http.call import Call as Call  # noqa: PLC0414  The same.
from chalicelib.api.http.call import ListQuery as ListQuery  # noqa: PLC0414  The same.
from chalicelib.api.http.call import NoBody as NoBody  # noqa: PLC0414  The same.
from chalicelib.api.http.call import NoData as NoData  # noqa: PLC0414  The same.
from chalicelib.api.http.call import PartialResponse
from chalicelib.api.http.cursors import FIRST, Cursors
from chalicelib.api.http.idempotency import answer_once
from chalicelib.api.http.parse import read_body, read_query
from chalicelib.api.http.rate_limit import Throttle
from chalicelib.api.http.routes import MAX_PATH_VALUE, PATH_VALUE, ROUTES, ResponseSpec, Route
from chalicelib.api.http.routes import ResponseForm as ResponseForm  # noqa: PLC0414  The same.
from chalicelib.errors import (
    CarillonError,
    CircuitOpen,
    Conflict,
    Forbidden,
    InsufficientBalance,
    InvalidRequest,
    MalformedRequest,
    NotFound,
    RetryLater,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)
from chalicelib.model.base import StoredDocument
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Key, Scope
from chalicelib.ports import Page
from chalicelib.settings import allowed_origin
from chalicelib.telemetry import log_debug, log_fault, log_info
from chalicelib.wiring import ports as current_ports

CORS = CORSConfig(
    allow_origin=allowed_origin(os.environ),
    allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
    expose_headers=["X-Request-Id", "Retry-After", "Idempotent-Replayed"],
    max_age=600,
)
#: Subclasses come before their bases.
_STATUS: tuple[tuple[type[CarillonError], int], ...] = (
    (MalformedRequest, 400),
    (TooLarge, 413),
    (UnsupportedMediaType, 415),
    (InvalidRequest, 422),
    (Unauthorized, 401),
    (InsufficientBalance, 402),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooManyRequests, 429),
    (RetryLater, 503),
)
#: Largest number of listed problems. A body of 1 MiB may have 100,000, and Lambda returns at most 6 MB.
MAX_DETAILS = 1_000
#: Longest listed field path. A name in the body may be as long as the body.
MAX_FIELD = 200
_WITHOUT_BODY = frozenset({"GET", "DELETE"})
#: Headers of every response. Pages have a separate policy.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)
Handler = Callable[[Call[B, Q]], ApiResponse[R]]


class Options(TypedDict, total=False):
    """Options of a route that most routes leave at their default."""

    #: The path without `/v1` answers too.
    also_bare: bool
    #: The route takes `Idempotency-Key`. A POST that does not say so takes one, and fails a test.
    idempotent: bool
    #: Status of success in the OpenAPI document, default 200.
    status: int
    #: A second status of success, with the same body.
    also_status: int
    #: Default: an envelope of `message` and `data`.
    form: ResponseForm
    #: Default: JSON.
    media_type: str
    #: Model of the answer to a replay of the call with its Idempotency-Key, if it shows less.
    replayed: type[BaseModel]


def respond(data: R, message: str, status: int = 200) -> ApiResponse[R]:
    """Return `{"message": …, "data": …}`."""
    return _json(status, {"message": message, "data": dump(data)})


def respond_done(message: str) -> ApiResponse[NoData]:
    """Return the message alone."""
    return _json(200, {"message": message})


def respond_with_secret(data: R, secret: str, message: str, status: int = 201) -> ApiResponse[R]:
    """Return `data`, whose field `secret` is null in every replay of the call."""
    replayed = respond(data.model_copy(update={secret: None}), message, status)
    return replace(respond(data, message, status), kept=replayed.text)


def respond_bare(data: R) -> ApiResponse[R]:
    """Return the model itself, without an envelope."""
    return _json(200, dump(data))


def respond_page(call: Call[Any, Any], page: Page[R], total: int | None = None) -> ApiResponse[R]:
    """Return a page of a list, with the cursors of its neighbours."""
    content: dict[str, object] = {
        "data": [dump(item) for item in page.items],
        "nextCursor": call.cursors.next(call.place, page.cursor) if page.cursor else None,
        "prevCursor": call.cursors.previous(call.place),
    }
    if total is not None:
        content["total"] = total
    return _json(200, content)


def dump(data: BaseModel) -> Mapping[str, object]:
    """Return a model as JSON with camelCase names. A stored document leaves out `rev`, which only the store needs."""
    exclude: set[str] | None = {"rev"} if isinstance(data, StoredDocument) else None
    if isinstance(data, PartialResponse):
        exclude = type(data).model_fields.keys() - data.model_fields_set
    return data.model_dump(mode="json", by_alias=True, exclude=exclude)


def endpoint(
    blueprint: Blueprint,
    route: str,
    *,
    response: type[R],
    scope: Scope | None = Scope.READ,
    body: type[B] = NoBody,  # type: ignore[assignment]  # The default binds B to NoBody; mypy cannot say so.
    query: type[Q] = NoBody,  # type: ignore[assignment]  # The same for Q.
    **options: Unpack[Options],
) -> Callable[[Handler[B, Q, R]], Callable[..., Response]]:
    """Register a route such as `"POST /v1/flows"`, which answers with `response`. Scope None needs no key."""
    method, _, path = route.partition(" ")
    also_bare, idempotent, answer = options.get("also_bare", False), options.get("idempotent"), _spec(response, options)
    paths = [path, path.removeprefix("/v1")] if also_bare else [path]

    def register(handler: Handler[B, Q, R]) -> Callable[..., Response]:
        known = Route(method, path, scope, body, query, also_bare, idempotent, answer, handler)
        ROUTES.append(known)

        @wraps(handler)
        def view(**parameters: str) -> Response:
            request = blueprint.current_request
            log_ids: dict[str, str] = {}
            return _guard(request, known, log_ids, lambda: _serve(request, known, parameters, (handler, log_ids)))

        for each in paths:
            # Without content_types Chalice leaves the check, and the shape of its error, to _parse.
            blueprint.route(each, methods=[method], content_types=[], name=f"{handler.__name__}")(view)
        return view

    return register


def _spec(model: type[BaseModel], options: Options) -> ResponseSpec:
    return ResponseSpec(
        model,
        options.get("status", 200),
        options.get("also_status"),
        options.get("form", ResponseForm.ENVELOPE),
        options.get("media_type", "application/json"),
        options.get("replayed"),
    )


_keyring = Keyring()
_throttle = Throttle()


def _serve(
    request: Request, route: Route, path: Mapping[str, str], work: tuple[Handler[Any, Any, Any], dict[str, str]]
) -> ApiResponse[Any]:
    """Check the key first, so that a request without one learns and costs nothing. Adds ids to the log."""
    ports, (handler, log_ids) = current_ports(), work
    workspace, key = WorkspaceUid(""), None
    if route.scope is not None:
        caller = _keyring.check(ports, request.headers.get("authorization"), route.scope)
        workspace, key = caller.presented.workspace, caller.key
        log_ids.update(workspace=workspace, key=key.uid)
        _throttle.pass_one(ports, workspace, key.uid)
    for value in path.values():
        if len(value) > MAX_PATH_VALUE or not re.fullmatch(PATH_VALUE, value):
            raise NotFound("Object", value[:64])
    raw = b"" if request.method in _WITHOUT_BODY else _raw_body(request)
    call = _read(request, route, path, raw, (workspace, key))
    return answer_once(call, route, raw, audited(route, _request_id(request), handler))


def _read(
    request: Request, route: Route, path: Mapping[str, str], raw: bytes, caller: tuple[WorkspaceUid, Key | None]
) -> Call[Any, Any]:
    ports, (workspace, key) = current_ports(), caller
    asked = read_query(_query_values(request), route.query)
    cursors = Cursors(ports.secret(), workspace, _list_name(f"{route.method} {route.path}", path))
    place = cursors.read(asked.cursor) if isinstance(asked, ListQuery) else FIRST
    content = read_body(raw, request.headers.get("content-type"), route.body)
    return Call(ports, workspace, path, content, asked, request.headers, cursors, place, key)


def _raw_body(request: Request) -> bytes:
    raw = request.raw_body
    return raw.encode() if isinstance(raw, str) else raw


def _query_values(request: Request) -> dict[str, list[str]]:
    parameters = request.query_params
    return {name: list(parameters.getlist(name)) for name in parameters} if parameters else {}


def _list_name(route: str, path: Mapping[str, str]) -> str:
    return " ".join((route, *(f"{name}={value}" for name, value in sorted(path.items()))))


def _guard(
    request: Request, route: Route, log_ids: Mapping[str, str], work: Callable[[], ApiResponse[Any]]
) -> Response:
    """Run a route. Every error becomes a documented error response."""
    request_id, began = _request_id(request), time.monotonic()
    try:
        answer = work()
    except CarillonError as error:
        answer = _refuse(error, request_id)
    except Exception as error:  # noqa: BLE001  An unexpected fault must not reveal internals.
        log_fault("api.fault", error, request=request_id, route=route.name, **log_ids)
        answer = error_answer(
            500,
            "internal_error",
            "Internal error. Repeat the request, and report the request id if it fails again",
            request_id,
        )
    headers = {**_HEADERS, "Content-Type": answer.content_type, "X-Request-Id": request_id}
    # Reads are too frequent for the normal log.
    log = log_debug if route.method == "GET" and answer.status < 400 else log_info
    taken = round((time.monotonic() - began) * 1000)
    log("api.called", request=request_id, route=route.name, status=answer.status, milliseconds=taken, **log_ids)
    return Response(body=answer.text, status_code=answer.status, headers={**headers, **answer.headers})


def _request_id(request: Request) -> str:
    known = (request.context or {}).get("requestId") or getattr(request.lambda_context, "aws_request_id", "")
    return str(known)


def _refuse(error: CarillonError, request_id: str) -> ApiResponse[NoData]:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is None:
        log_fault("api.fault", error, request=request_id)
        return error_answer(
            500,
            "internal_error",
            "Internal error. Repeat the request, and report the request id if it fails again",
            request_id,
        )
    problems = error.problems if isinstance(error, InvalidRequest) else ()
    details = [{"field": problem.field[:MAX_FIELD], "message": problem.message} for problem in problems[:MAX_DETAILS]]
    if len(problems) > MAX_DETAILS:
        details.append({"field": "", "message": f"and {len(problems) - MAX_DETAILS} more"})
    more: dict[str, object] = {}
    headers: dict[str, str] = {}
    if isinstance(error, Conflict) and error.current is not None:
        more = {"current": error.current, "allowed": list(error.allowed)}
    if isinstance(error, InsufficientBalance):
        more = {"balance": error.balance, "requiredAmount": error.required}
    if isinstance(error, RetryLater | CircuitOpen):
        more, headers = {**more, "retryAfter": error.after}, {"Retry-After": str(error.after)}
    if isinstance(error, Unauthorized):
        headers = {"WWW-Authenticate": "Bearer"}
    shown = error_answer(status, error.code, _sentence(error), request_id, {"details": details, **more})
    return ApiResponse(shown.status, shown.text, headers)


def _sentence(error: CarillonError) -> str:
    """Return the message. A single problem is prefixed with its field."""
    if isinstance(error, InvalidRequest) and len(error.problems) == 1 and error.problems[0].message == str(error):
        return f"{error.problems[0].field}: {error}"
    return str(error)


def error_answer(
    status: int, code: str, message: str, request_id: str, more: Mapping[str, object] | None = None
) -> ApiResponse[NoData]:
    """Build an error response."""
    return _json(status, {"error": code, "message": message, "details": [], **(more or {}), "requestId": request_id})


def _json(status: int, content: Mapping[str, object]) -> ApiResponse[Any]:
    return ApiResponse(status, json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
