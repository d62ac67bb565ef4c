"""HTTP server of all local providers on one port. The path of a request selects the provider."""

from __future__ import annotations

import json
import socket
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.local.providers import messaging, push, twilio, webhook, whatsapp
from infra.local.providers.hooks import Hooks
from infra.local.providers.inbox import ProviderInbox, ProviderRequest, ProviderResponse

#: Longest request body, in bytes.
MAX_BODY = 4 * 1024 * 1024
#: Path that registers a Meta webhook. On Meta itself an operator does this in the console.
META_HOOKS = "/_local/meta-webhooks"

Respond = Callable[[ProviderRequest], ProviderResponse]


def build_responder(inbox: ProviderInbox, hooks: Hooks) -> Respond:
    """Return the function that answers requests to every provider."""

    def respond(http_request: ProviderRequest) -> ProviderResponse:
        if http_request.method != "POST":
            return ProviderResponse(200 if http_request.path == "/" else 404, {"providers": "local"})
        if http_request.path == "/":
            return _answer_aws(inbox, http_request)
        if http_request.path == whatsapp.SOCIAL_PATH:
            return whatsapp.answer_social(inbox, http_request)
        if http_request.path.startswith("/2010-04-01/"):
            return twilio.answer(inbox, http_request)
        if http_request.path == webhook.PATH:
            return webhook.answer(inbox, http_request)
        if http_request.path == META_HOOKS:
            return hooks.register(http_request.body)
        return whatsapp.answer_meta(inbox, hooks.known, http_request)

    return respond


def _answer_aws(inbox: ProviderInbox, http_request: ProviderRequest) -> ProviderResponse:
    """Answer SNS (AWS query protocol) or End User Messaging (JSON)."""
    is_sns = http_request.body.startswith(b"Action=")
    return push.answer(inbox, http_request) if is_sns else messaging.answer(inbox, http_request)


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
            self._send(ProviderResponse(413, {"message": "Too large"}))
            return
        self._answer(self.rfile.read(int(length)))

    def do_GET(self) -> None:
        self._answer(b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing, since the outbox shows accepted messages."""

    def _answer(self, body: bytes) -> None:
        parts = urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(urllib.parse.parse_qsl(parts.query))
        self._send(type(self).respond(ProviderRequest(self.command, parts.path, query, headers, body)))

    def _send(self, response: ProviderResponse) -> None:
        if response.status is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        text = response.body if isinstance(response.body, str) else json.dumps(response.body)
        body = b"" if response.body is None else text.encode()
        self.send_response(response.status)
        for name, value in {"Content-Type": "application/json", **response.headers}.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Serves on a socket that already listens."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, respond: Respond) -> None:
        handler = type("RespondingHandler", (Handler,), {"respond": staticmethod(respond)})
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors of clients that closed their connection."""
