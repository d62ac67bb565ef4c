"""Serves an ASGI application on the socket that the supervisor listens on and hands down."""

import os
import signal
import socket
from typing import Any

import uvicorn

#: The inherited listening socket. The supervisor keeps it open, so a client of a child that died just waits.
SOCKET = "LOCAL_SOCKET"
#: Keep-alive connections of clients are dropped after this long at the end.
GRACEFUL_SECONDS = 5


def serve(app: Any) -> None:
    """Serve until SIGTERM; returns after a clean end."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    # uvicorn raises the signal again after a clean end; the process shall end with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(os.environ[SOCKET]))])
