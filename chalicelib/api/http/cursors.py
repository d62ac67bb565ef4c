"""Opaque signed cursors: where a page starts, and where the pages before it started."""

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass

from chalicelib.errors import invalid

#: API Gateway takes 10 KB of request line and headers in all; the oldest pages are forgotten first.
MAX_TOKEN = 3_000
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class CursorPosition:
    """A page starts `at` a store's cursor, None is the first one; `before` are those of earlier pages, oldest first."""

    at: str | None = None
    before: tuple[str | None, ...] = ()


FIRST = CursorPosition()


@dataclass(frozen=True, slots=True)
class Cursors:
    """Signs and reads the cursors of one list: they open nothing in another workspace or route."""

    secret: bytes
    workspace: str
    route: str

    def read(self, token: str | None) -> CursorPosition:
        """InvalidRequest for one that was not signed for this list."""
        if token is None:
            return FIRST
        try:
            data = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            data = b""
        packed, signature = data[_SIGNATURE_BYTES:], data[:_SIGNATURE_BYTES]
        if not hmac.compare_digest(signature, self._sign(packed)):
            raise invalid("cursor", "is not a cursor of this list: take nextCursor or prevCursor of an answer")
        at, *before = json.loads(zlib.decompress(packed))
        return CursorPosition(at, tuple(before))

    def next(self, place: CursorPosition, at: str) -> str:
        """The cursor of the page after `place`."""
        return self._write(CursorPosition(at, (*place.before, place.at)))

    def previous(self, place: CursorPosition) -> str | None:
        """The cursor of the page before `place`; beyond what is remembered it is the first page."""
        if place.at is None:
            return None
        return self._write(CursorPosition(place.before[-1], place.before[:-1]) if place.before else FIRST)

    def _write(self, place: CursorPosition) -> str:
        before = place.before
        while True:
            packed = zlib.compress(json.dumps([place.at, *before], separators=(",", ":")).encode(), 9)
            token = base64.urlsafe_b64encode(self._sign(packed) + packed).rstrip(b"=").decode()
            if len(token) <= MAX_TOKEN or not before:
                return token
            before = before[len(before) // 8 + 1 :]

    def _sign(self, packed: bytes) -> bytes:
        bound = json.dumps(["cursor", self.workspace, self.route]).encode()
        return hmac.new(self.secret, bound + packed, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
