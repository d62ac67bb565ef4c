"""Which provider a request is for, over HTTP on one port: each has paths of its own."""

from __future__ import annotations

import json
import socket
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.local.providers import messaging, push, twilio, webhook, whatsapp
from infra.local.providers.desk import Asked, Desk, Told
from infra.local.providers.hooks import Hooks

#: Longest request that is read.
MAX_BODY = 4 * 1024 * 1024
#: Where Meta's webhooks are registered, which is done by hand in Meta's own console.
META_HOOKS = "/_local/meta-webhooks"

Respond = Callable[[Asked], Told]


def build_responder(desk: Desk, hooks: Hooks) -> Respond:
    """Everything that the providers answer."""

    def respond(asked: Asked) -> Told:
        if asked.method != "POST":
            return Told(200 if asked.path == "/" else 404, {"providers": "local"})
        if asked.path == "/":
            return _answer_aws(desk, asked)
        if asked.path == whatsapp.SOCIAL_PATH:
            return whatsapp.answer_social(desk, asked)
        if asked.path.startswith("/2010-04-01/"):
            return twilio.answer(desk, asked)
        if asked.path == webhook.PATH:
            return webhook.answer(desk, asked)
        if asked.path == META_HOOKS:
            return hooks.register(asked.body)
        return whatsapp.answer_meta(desk, hooks.known, asked)

    return respond


def _answer_aws(desk: Desk, asked: Asked) -> Told:
    """SNS speaks AWS's query protocol, End User Messaging JSON."""
    is_sns = asked.body.startswith(b"Action=")
    return push.answer(desk, asked) if is_sns else messaging.answer(desk, asked)


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 around `respond`, with connections kept open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75
    respond: Respond

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._tell(Told(413, {"message": "Too large"}))
            return
        self._answer(self.rfile.read(int(length)))

    def do_GET(self) -> None:
        self._answer(b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """The outbox shows what came."""

    def _answer(self, body: bytes) -> None:
        parts = urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(urllib.parse.parse_qsl(parts.query))
        self._tell(type(self).respond(Asked(self.command, parts.path, query, headers, body)))

    def _tell(self, told: Told) -> None:
        if told.status is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        text = told.body if isinstance(told.body, str) else json.dumps(told.body)
        body = b"" if told.body is None else text.encode()
        self.send_response(told.status)
        for name, value in {"Content-Type": "application/json", **told.headers}.items():
            self.send_header(name, value)
        if told.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Serves on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, respond: Respond) -> None:
        handler = type("RespondingHandler", (Handler,), {"respond": staticmethod(respond)})
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone."""
