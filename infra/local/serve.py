"""Serves an ASGI application on a listening socket inherited from the supervisor."""

import os
import signal
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.local import gateway

#: Variable with the inherited socket. The supervisor keeps it open, so clients wait while a child restarts.
SOCKET = "LOCAL_SOCKET"
#: Seconds until keep-alive connections are closed at shutdown.
GRACEFUL_SECONDS = 5


class Protocol(HttpToolsProtocol):
    """HTTP of uvicorn, with the API's error format for malformed requests."""

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not valid HTTP, such as one with an overlong request line."""
        answer = gateway.build_error(400, "malformed_request", msg, gateway.new_request_id())
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in answer.headers)]
        self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", answer.body]))
        self.transport.close()


def serve(app: Any, *, sets_date: bool = False) -> None:
    """Serve until SIGTERM and return after a clean shutdown. With `sets_date` the app writes the `Date` header."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=not sets_date,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    # uvicorn raises the signal again after a clean shutdown. Ignore it, so that the exit code is 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(os.environ[SOCKET]))])
