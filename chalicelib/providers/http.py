"""Makes one HTTP request to a provider: one connection, one attempt, no redirects, no proxies, within a time limit."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalicelib.model.message import OutcomeUnknown, TransientFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
#: More of an answer is not read: what tells of a message is far shorter.
MAX_ANSWER_BYTES = 65_536
_FAULTS = (HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Request:
    """A POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A connection for each request: one that is kept may be closed by the other side just when we write to it.

    That would be an answer lost, thus an unknown message, to save a handshake.
    """

    def __init__(self, authorities: str | None = None, read_seconds: float = READ_SECONDS) -> None:
        """`authorities`: a file of certificates to trust in place of the machine's; `read_seconds`: for an answer."""
        self._authorities, self._read_seconds = authorities, read_seconds
        self._context: ssl.SSLContext | None = None

    def post(self, request: Request, address: str | None = None) -> Reply | TransientFailure | OutcomeUnknown:
        """The answer, or what its absence means. `address`: an IP address to connect to for the URL's host."""
        try:
            connection = self._connect(request.url, address)
        except _FAULTS as error:
            return TransientFailure(type(error).__name__, unreached=True)
        try:
            return self._exchange(connection, request)
        finally:
            connection.close()

    def _connect(self, url: str, address: str | None) -> HTTPConnection:
        """Up to a handshake by which the other side has proved the name in the URL."""
        parts = urlsplit(url)
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        connected = socket.create_connection((address or host, port), timeout=CONNECT_SECONDS)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected = self._shake_hands(connected, host) if is_tls else connected
        except BaseException:
            connected.close()
            raise
        connection = HTTPSConnection(host, port, context=self._tls()) if is_tls else HTTPConnection(host, port)
        connection.sock = connected
        # It would look the name up again, and go to an address that nobody has checked.
        connection.auto_open = 0
        return connection

    def _shake_hands(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        connected = self._tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        try:
            with _limit(connected, CONNECT_SECONDS):
                connected.do_handshake()
        except BaseException:
            connected.close()
            raise
        return connected

    def _tls(self) -> ssl.SSLContext:
        """Made once: loading the authorities takes 20 ms."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._authorities)
        return self._context

    def _exchange(self, connection: HTTPConnection, request: Request) -> Reply | OutcomeUnknown:
        """From here on the provider may have seen the request."""
        parts = urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "carillon", "Connection": "close", **request.headers}
        try:
            with _limit(connection.sock, self._read_seconds):
                connection.request("POST", target, request.body, headers)
                answer = connection.getresponse()
                told = {name.lower(): value for name, value in answer.getheaders()}
                return Reply(answer.status, told, answer.read(MAX_ANSWER_BYTES))
        except TimeoutError:
            return OutcomeUnknown("read_timeout")
        except _FAULTS as error:
            return OutcomeUnknown(type(error).__name__)


@contextmanager
def _limit(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Ends the connection after so long in all: a socket's own timeout begins anew with every byte."""
    connected.settimeout(seconds)
    # The plain socket's method: TLS's own would take the session from under the thread that reads.
    timer = Timer(seconds, _end, (connected,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(connected: socket.socket) -> None:
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        return


def read_retry_after(reply: Reply) -> timedelta | None:
    """How long to wait, from `Retry-After` in seconds or as a date beside the answer's own `Date` (RFC 9110)."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) <= 7:
        return timedelta(seconds=int(text))
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(reply.headers.get("date", ""))
        return max(timedelta(0), until - now)
    except (ValueError, TypeError):
        return None
