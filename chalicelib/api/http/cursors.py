"""Opaque signed cursors: the start of a page and of the pages before it."""

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass

from chalicelib.errors import invalid

#: API Gateway accepts 10 KB of request line and headers, so the oldest pages are dropped first.
MAX_TOKEN = 3_000
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class CursorPosition:
    """A page: `at` is the cursor of the store, None for the first; `before` are the earlier pages, oldest first."""

    at: str | None = None
    before: tuple[str | None, ...] = ()


FIRST = CursorPosition()


@dataclass(frozen=True, slots=True)
class Cursors:
    """Sign and read the cursors of one list. They are invalid in another workspace or route."""

    secret: bytes
    workspace: str
    route: str

    def read(self, token: str | None) -> CursorPosition:
        """Read a cursor. Raises InvalidRequest if it was not signed for this list."""
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
        """Return the cursor of the page after `place`."""
        return self._write(CursorPosition(at, (*place.before, place.at)))

    def previous(self, place: CursorPosition) -> str | None:
        """Return the cursor of the page before `place`. Beyond the stored pages it is the first page."""
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
