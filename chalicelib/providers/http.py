"""Make one HTTP request to a provider: one connection, one attempt, no redirect, no proxy, with a time limit."""

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
#: Bytes of a response that are read. Responses about a message are far shorter.
MAX_ANSWER_BYTES = 65_536
_FAULTS = (HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Request:
    """A POST request."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A client that opens a connection for each request.

    The other side may close a kept connection while a request is written. The outcome of that message would be unknown,
    which is too high a price for a saved handshake.
    """

    def __init__(self, authorities: str | None = None, read_seconds: float = READ_SECONDS) -> None:
        """Set the file of trusted certificates (None: those of the machine) and the time to read a response, in s."""
        self._authorities, self._read_seconds = authorities, read_seconds
        self._context: ssl.SSLContext | None = None

    def post(self, request: Request, address: str | None = None) -> Reply | TransientFailure | OutcomeUnknown:
        """Return the response, or the result of a missing one. `address`: the IP address to connect to."""
        try:
            connection = self._connect(request.url, address)
        except _FAULTS as error:
            return TransientFailure(type(error).__name__, unreached=True)
        try:
            return self._exchange(connection, request)
        finally:
            connection.close()

    def _connect(self, url: str, address: str | None) -> HTTPConnection:
        """Connect and verify the certificate for the host of the URL."""
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
        # HTTPSConnection would resolve the name again and might connect to an unchecked address.
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
        """Return the TLS context, built once because loading certificates takes 20 ms."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._authorities)
        return self._context

    def _exchange(self, connection: HTTPConnection, request: Request) -> Reply | OutcomeUnknown:
        """Send the request and read the response. From here on a failure leaves the outcome unknown."""
        parts = urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "carillon", "Connection": "close", **request.headers}
        try:
            with _limit(connection.sock, self._read_seconds):
                connection.request("POST", target, request.body, headers)
                answer = connection.getresponse()
                headers = {name.lower(): value for name, value in answer.getheaders()}
                return Reply(answer.status, headers, answer.read(MAX_ANSWER_BYTES))
        except TimeoutError:
            return OutcomeUnknown("read_timeout")
        except _FAULTS as error:
            return OutcomeUnknown(type(error).__name__)


@contextmanager
def _limit(connected: socket.socket, seconds: float) -> Iterator[None]:
    """End the connection after a total time. The timeout of a socket restarts with every byte."""
    connected.settimeout(seconds)
    # The method of the plain socket: that of TLS would close the session while another thread reads.
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
    """Return the delay of `Retry-After`: seconds, or a date relative to the response's `Date` (RFC 9110)."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) <= 7:
        return timedelta(seconds=int(text))
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(reply.headers.get("date", ""))
        return max(timedelta(0), until - now)
    except (ValueError, TypeError):
        return None
