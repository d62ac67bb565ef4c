"""API Gateway (REST API, Lambda proxy): routes of paths, events and error responses."""

import base64
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.local.asgi import Answer, Headers, Scope, json_answer
from infra.local.lambda_runtime import ACCOUNT

#: Largest request body of API Gateway, in bytes.
BODY_LIMIT = 10 * 1024 * 1024
#: Largest response of Lambda, in bytes.
ANSWER_LIMIT = 6 * 1024 * 1024
#: Seconds that API Gateway waits for Lambda.
TIMEOUT_SECONDS = 29.0


@dataclass(frozen=True, slots=True)
class Match:
    """A declared path, such as `/v1/flows/{uid}`, and the values of its parameters."""

    resource: str
    parameters: dict[str, str]


@dataclass(slots=True)
class _Level:
    """The routes below one position of the path."""

    fixed: dict[str, "_Level"]
    parameter: tuple[str, "_Level"] | None = None
    resource: str | None = None


class Routes:
    """Finds the declared path of a request. A fixed segment takes precedence over a parameter, as in API Gateway."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Build the tree of paths. Raises ValueError for two parameter names on one level, as API Gateway does."""
        self._root = _Level({})
        for path in paths:
            self._add(path)

    def _add(self, path: str) -> None:
        level = self._root
        for segment in _segments(path):
            if not segment.startswith("{"):
                level = level.fixed.setdefault(segment, _Level({}))
                continue
            name = segment[1:-1]
            if level.parameter is not None and level.parameter[0] != name:
                raise ValueError(f"{path}: API Gateway refuses {{{name}}} beside {{{level.parameter[0]}}} on one level")
            level.parameter = level.parameter or (name, _Level({}))
            level = level.parameter[1]
        level.resource = path

    def find(self, path: str) -> Match | None:
        """Find the route of an undecoded path. %2F does not separate segments."""
        return _find(self._root, _segments(path), {})


def _segments(path: str) -> list[str]:
    return path.removesuffix("/").split("/")[1:]


def _find(level: _Level, segments: list[str], parameters: dict[str, str]) -> Match | None:
    if not segments:
        return Match(level.resource, parameters) if level.resource is not None else None
    first, rest = segments[0], segments[1:]
    if first in level.fixed and (found := _find(level.fixed[first], rest, parameters)):
        return found
    if level.parameter is None or not first:
        return None
    name, below = level.parameter
    return _find(below, rest, {**parameters, name: unquote(first)})


def build_event(
    scope: Scope, match: Match, body: bytes, binary_types: Iterable[str], request_id: str
) -> dict[str, Any]:
    """Return the event of a Lambda proxy integration, payload version 1.0."""
    headers = _group((key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"])
    client = (scope.get("client") or ("127.0.0.1", 0))[0]
    headers.setdefault("x-forwarded-for", [client])
    headers.setdefault("x-forwarded-proto", ["http"])
    headers.setdefault("x-forwarded-port", [str((scope.get("server") or ("", 80))[1])])
    query = _group(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    is_binary = _is_binary(headers.get("content-type", [""])[-1], binary_types)
    text = base64.b64encode(body).decode() if is_binary else body.decode("utf-8", errors="replace")
    return {
        "resource": match.resource,
        "path": scope["path"],
        "httpMethod": scope["method"],
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": match.parameters or None,
        "stageVariables": None,
        "requestContext": _context(scope, match, client, headers, request_id),
        "body": text if body else None,
        "isBase64Encoded": is_binary and bool(body),
    }


def _context(
    scope: Scope, match: Match, client: str, headers: Mapping[str, list[str]], request_id: str
) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        "resourceId": "local",
        "resourcePath": match.resource,
        "httpMethod": scope["method"],
        "path": scope["path"],
        "stage": "local",
        "protocol": f"HTTP/{scope['http_version']}",
        "domainName": headers.get("host", ["127.0.0.1"])[-1],
        "requestId": request_id,
        "extendedRequestId": request_id,
        "requestTime": f"{datetime.fromtimestamp(now, UTC):%d/%b/%Y:%H:%M:%S +0000}",
        "requestTimeEpoch": int(now * 1000),
        "identity": {"sourceIp": client, "userAgent": headers.get("user-agent", [None])[-1]},
        "authorizer": None,
    }


def read_answer(answer: Any) -> Answer:
    """Convert a Lambda proxy response to HTTP. Raises TypeError or ValueError if it is invalid."""
    if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
        raise TypeError("the function's answer has no statusCode")
    body: Any = answer.get("body") or ""
    if not isinstance(body, str | bytes):
        raise TypeError("the function's body is not a string")
    content = body if isinstance(body, bytes) else body.encode()
    if len(content) > ANSWER_LIMIT:
        raise ValueError(f"the function's answer has {len(content)} bytes; the limit of Lambda is {ANSWER_LIMIT}")
    if answer.get("isBase64Encoded"):
        content = base64.b64decode(content)
    pairs = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
    pairs += [
        (name, str(value)) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values
    ]
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"application/json"))
    headers = [pair for pair in headers if pair[0] != b"content-length"]
    return Answer(answer["statusCode"], [*headers, (b"content-length", str(len(content)).encode())], content)


def build_error(status: int, code: str, message: str, request_id: str, headers: Headers | None = None) -> Answer:
    """Return an error of the gateway in the format of the template's gateway responses."""
    content = {"error": code, "message": message, "details": [], "requestId": request_id}
    fixed = [
        (b"access-control-allow-origin", b"*"),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id.encode()),
    ]
    return json_answer(status, content, fixed + (headers or []))


def new_request_id() -> str:
    return str(uuid.uuid4())


def _group(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _last(grouped: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in grouped.items()}


def _is_binary(content_type: str, binary_types: Iterable[str]) -> bool:
    plain = content_type.partition(";")[0].strip().lower()
    return any(binary in {plain, "*/*"} for binary in binary_types)
