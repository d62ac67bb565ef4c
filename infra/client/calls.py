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
#: Of one call, the first one included; with their pauses about 15 s.
TRIES = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
#: Not answered by the API itself, or answered by it with: come again.
_PASSING = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """The API's answer to what it does not do; `code` is its stable word, `details` every problem by field."""

    def __init__(self, status: int, content: Mapping[str, JsonValue]) -> None:
        super().__init__(str(content.get("message") or f"The API answered {status}"))
        self.status, self.content = status, content
        self.code = str(content.get("error") or "unknown")
        self.request_id = str(content.get("requestId") or "")
        found = content.get("details")
        self.details = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


class Unreachable(Exception):
    """No answer, however often it was tried."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Sends one request. Raises OSError or urllib3's HTTPError when there is no answer."""

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """`path` with its query."""


class HttpWire:
    """urllib3, with connections that are kept."""

    def __init__(self, url: str) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._url, self._pool = url.rstrip("/"), urllib3.PoolManager(timeout=timeout, retries=False)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        answer = self._pool.request(method, self._url + path, body=body, headers=dict(headers), redirect=False)
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)


def put_file(url: str, file: bytes) -> None:
    """Stores a file by a presigned URL, which needs no key. Raises Unreachable."""
    try:
        answer = urllib3.request("PUT", url, body=file, redirect=False)
    except (OSError, urllib3.exceptions.HTTPError) as error:
        raise Unreachable(f"The file cannot be stored: {error}") from error
    if answer.status >= 300:
        raise Unreachable(f"The file cannot be stored: the store answered {answer.status}")


class Calls:
    """What all resources of the client make their calls with."""

    def __init__(self, wire: Wire, key: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wire, self._key, self._sleep = wire, key, sleep

    def one(self, endpoint: str, model: type[M], body: Body | None = None, query: Query | None = None) -> M:
        """The `data` of the answer to `endpoint`, as `POST /v1/flows`. Raises Refused, Unreachable."""
        return _read(model, self.plain(endpoint, body, query).get("data"))

    def many(self, path: str, model: type[M], query: Query | None = None) -> Iterator[M]:
        """Every object of a list, page after page, as far as the caller takes them."""
        cursor: JsonValue = None
        while True:
            page = self.plain(f"GET {path}", None, {"limit": 100, **(query or {}), "cursor": _text(cursor)})
            found = page.get("data")
            yield from (_read(model, each) for each in (found if isinstance(found, list) else ()))
            cursor = page.get("nextCursor")
            if cursor is None:
                return

    def plain(self, endpoint: str, body: Body | None = None, query: Query | None = None) -> dict[str, JsonValue]:
        """The whole answer."""
        reply = self.raw(endpoint, _write(body), "application/json", query)
        content: dict[str, JsonValue] = json.loads(reply.body)
        return content

    def raw(self, endpoint: str, body: bytes | None, content_type: str, query: Query | None = None) -> Reply:
        """The answer as it came; a POST that is made again carries the same Idempotency-Key."""
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
    """A 409 without a state speaks of the same Idempotency-Key: our own earlier try is still being worked on."""
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
    """A newer API may show more than this client knows."""
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
