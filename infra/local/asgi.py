"""ASGI helpers that the servers of the local stack share."""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class TooLarge(Exception):
    """The body exceeds the limit."""


class ClientDisconnected(Exception):
    """The client closed the connection before its request was complete."""


@dataclass(slots=True)
class Answer:
    """A complete HTTP response, recorded from an application or built here."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    async def record(self, message: Message) -> None:
        """Record a response message of an application; pass this method as `send`."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")

    async def pass_on(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def read_body(receive: Receive, limit: int | None = None) -> bytes:
    """Return the request body. Raises TooLarge above `limit` bytes, ClientDisconnected if the client left."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if limit is not None and size > limit:
            raise TooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def find_header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def replay(body: bytes) -> Receive:
    """Return a `receive` function for a body that was already read."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def with_body(scope: Scope, body: bytes) -> Scope:
    """Return the scope with the content length of another body."""
    others: Iterable[tuple[bytes, bytes]] = (pair for pair in scope["headers"] if pair[0] != b"content-length")
    return {**scope, "headers": [*others, (b"content-length", str(len(body)).encode())]}


def json_answer(status: int, content: object, headers: Headers | None = None) -> Answer:
    body = json.dumps(content).encode()
    fixed = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return Answer(status, fixed + (headers or []), body)
