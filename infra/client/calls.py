"""Call the API with retries. Every call can be repeated, because each POST has its own Idempotency-Key."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import urllib3
from pydantic import BaseModel, JsonValue

M = TypeVar("M", bound=BaseModel)
Query = Mapping[str, str | int | bool | None]
Body = BaseModel | Mapping[str, JsonValue]

CONNECT_SECONDS, READ_SECONDS = 5.0, 35.0
#: Attempts of one call, including the first. Their delays add up to about 15 s.
TRIES = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
#: Statuses of a temporary failure. A later attempt can succeed.
_PASSING = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """An error response of the API. `code` is its stable code, `details` lists the problems by field."""

    def __init__(self, status: int, content: Mapping[str, JsonValue]) -> None:
        super().__init__(str(content.get("message") or f"The API answered {status}"))
        self.status, self.content = status, content
        self.code = str(content.get("error") or "unknown")
        self.request_id = str(content.get("requestId") or "")
        found = content.get("details")
        self.details = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


class Unreachable(Exception):
    """No response after all attempts."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A raw response. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Sends one request. Raises OSError or urllib3's HTTPError when there is no response."""

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request. `path` includes the query."""


class HttpWire:
    """A connection pool of urllib3."""

    def __init__(self, url: str) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._url, self._pool = url.rstrip("/"), urllib3.PoolManager(timeout=timeout, retries=False)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        answer = self._pool.request(method, self._url + path, body=body, headers=dict(headers), redirect=False)
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)


def put_file(url: str, file: bytes) -> None:
    """Store a file at a presigned URL, which needs no key. Raises Unreachable."""
    try:
        answer = urllib3.request("PUT", url, body=file, redirect=False)
    except (OSError, urllib3.exceptions.HTTPError) as error:
        raise Unreachable(f"The file cannot be stored: {error}") from error
    if answer.status >= 300:
        raise Unreachable(f"The file cannot be stored: the store answered {answer.status}")


class Calls:
    """HTTP calls with retries, shared by all resources of the client."""

    def __init__(self, wire: Wire, key: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wire, self._key, self._sleep = wire, key, sleep

    def one(self, endpoint: str, model: type[M], body: Body | None = None, query: Query | None = None) -> M:
        """Return the `data` of the response. `endpoint` is like `POST /v1/flows`. Raises Refused, Unreachable."""
        return _read(model, self.plain(endpoint, body, query).get("data"))

    def many(self, path: str, model: type[M], query: Query | None = None) -> Iterator[M]:
        """Yield the objects of a list. Each page is requested when the caller needs it."""
        cursor: JsonValue = None
        while True:
            page = self.plain(f"GET {path}", None, {"limit": 100, **(query or {}), "cursor": _text(cursor)})
            found = page.get("data")
            yield from (_read(model, each) for each in (found if isinstance(found, list) else ()))
            cursor = page.get("nextCursor")
            if cursor is None:
                return

    def plain(self, endpoint: str, body: Body | None = None, query: Query | None = None) -> dict[str, JsonValue]:
        """Return the whole response body."""
        reply = self.raw(endpoint, _write(body), "application/json", query)
        content: dict[str, JsonValue] = json.loads(reply.body)
        return content

    def raw(self, endpoint: str, body: bytes | None, content_type: str, query: Query | None = None) -> Reply:
        """Return the raw response. Every attempt of a POST has the same Idempotency-Key."""
        method, _, path = endpoint.partition(" ")
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        reply = self._insist(method, path + _query(query), body, headers)
        if reply.status >= 400:
            raise Refused(reply.status, _object(reply.body))
        return reply

    def _insist(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        fault: Exception | None = None
        for tries in range(TRIES):
            reply = None
            try:
                reply = self._wire.send(method, path, body, headers)
            except (OSError, urllib3.exceptions.HTTPError) as error:
                fault = error
            if reply is not None and not _comes_again(reply):
                return reply
            if tries + 1 < TRIES:
                self._sleep(_pause(reply, tries))
        if reply is not None:
            return reply
        raise Unreachable(f"There is no answer: {fault}") from fault


def _comes_again(reply: Reply) -> bool:
    """Return whether to retry. A 409 without a state means that our earlier attempt is still in progress."""
    if reply.status == 409:
        content = _object(reply.body)
        return "current" not in content and "Idempotency-Key" in str(content.get("message"))
    return reply.status in _PASSING


def _pause(reply: Reply | None, tries: int) -> float:
    """Return the delay of the response, else a doubling delay with a random factor of 0.5 to 1.5."""
    asked = reply.headers.get("retry-after", "") if reply else ""
    if asked.isdecimal():
        return min(float(asked), LONGEST_PAUSE_SECONDS)
    spread: float = 0.5 + random.random()  # noqa: S311  jitter, not a secret
    return float(FIRST_PAUSE_SECONDS * 2**tries) * spread


def _read(model: type[M], data: JsonValue) -> M:
    """Parse a response. Unknown fields of a newer API are ignored."""
    return model.model_validate_json(json.dumps(data), extra="ignore")


def _write(body: Body | None) -> bytes | None:
    if isinstance(body, BaseModel):
        return body.model_dump_json(by_alias=True, exclude_unset=True).encode()
    return None if body is None else json.dumps(body).encode()


def _query(query: Query | None) -> str:
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in (query or {}).items()}
    said = {name: value for name, value in given.items() if value is not None}
    return f"?{urlencode(said)}" if said else ""


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _object(body: bytes) -> dict[str, JsonValue]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
