"""Serves an ASGI application on the socket that the supervisor listens on and hands down."""

import os
import signal
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.local import gateway

#: The inherited listening socket. The supervisor keeps it open, so a client of a child that died just waits.
SOCKET = "LOCAL_SOCKET"
#: Keep-alive connections of clients are dropped after this long at the end.
GRACEFUL_SECONDS = 5


class Protocol(HttpToolsProtocol):
    """HTTP by uvicorn, whose answer to what cannot be read as HTTP has our shape as well."""

    def send_400_response(self, msg: str) -> None:
        """A request line that is too long, a header that is none; `msg` says no more than that."""
        answer = gateway.build_error(400, "malformed_request", msg, gateway.new_request_id())
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in answer.headers)]
        self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", answer.body]))
        self.transport.close()


def serve(app: Any, *, tells_time: bool = False) -> None:
    """Serve until SIGTERM; returns after a clean end. An app that tells the time writes its own `Date`."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=not tells_time,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    # uvicorn raises the signal again after a clean end; the process shall end with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(os.environ[SOCKET]))])
