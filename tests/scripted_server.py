"""A scripted HTTP server for tests of provider clients: it sends prepared responses or none."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LONGEST_WAIT = 10.0
#: How a client begins who takes a server without TLS for one with it.
TLS_HANDSHAKE = b"\x16\x03"


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of an HTTP response. `_` in header names is written as `-`."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body


@dataclass
class Wire:
    """A server that sends `answers` in order and repeats the last. None: it reads the request and closes."""

    listener: socket.socket
    answers: list[bytes | None]
    context: ssl.SSLContext | None = None
    received: list[bytes] = field(default_factory=list)
    #: Set by a test that wants the server to say one byte and then wait for it.
    stall: threading.Event | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                self._answer(connection)

    def _answer(self, plain: socket.socket) -> None:
        plain.settimeout(LONGEST_WAIT)
        connection = self.context.wrap_socket(plain, server_side=True) if self.context else plain
        with connection:
            self.received.append(read_request(connection))
            if self.stall:
                connection.sendall(b"H")
                self.stall.wait(LONGEST_WAIT)
            told = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            if told is not None:
                connection.sendall(told)


def read_request(connection: socket.socket) -> bytes:
    """Read head and body, using Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data and not data.startswith(TLS_HANDSHAKE):
        data += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    told = [line.split(b":", 1)[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(told[0] if told else 0):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def split(request: bytes) -> tuple[str, Mapping[str, str], bytes]:
    """Return the first line, the headers in lower case, and the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return first, {name.lower(): value for name, value in pairs}, body


@contextmanager
def open_wire(*answers: bytes | None, context: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """Start a server on a free local port."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener, list(answers) or [None], context, port=listener.getsockname()[1])
    threading.Thread(target=wire.serve, daemon=True).start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def closed_port() -> int:
    """Return a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
