"""Create and parse API keys. Only a keyed hash of a key is stored."""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime

from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.workspace import Key, Scope
from chalicelib.ports import Ports

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: 43 characters of base 62 hold 32 bytes. Secret scanners recognise the prefix.
_SHAPE = re.compile(r"cln_live_([A-Za-z0-9_-]{1,64})_([0-9A-Z]{26})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """The parts of a well-formed key. The key is not verified yet."""

    workspace: WorkspaceUid
    uid: str
    text: str

    def digest(self, pepper: bytes) -> str:
        """Return the keyed hash that is stored, in hexadecimal digits."""
        return hmac.new(pepper, self.text.encode(), hashlib.sha256).hexdigest()


def create_api_key(
    ports: Ports,
    workspace: WorkspaceUid,
    scope: Scope,
    name: str = "",
    expires_at: datetime | None = None,
    uid: str | None = None,
) -> tuple[Key, str]:
    """Store a new key and return its document and its text. Raises Conflict if a key with `uid` exists."""
    uid, now = uid or new_uid(), ports.clock.now()
    text = _write(workspace, uid, secrets.token_bytes(32))
    digest = PresentedKey(workspace, uid, text).digest(ports.secret())
    key = Key(uid=uid, created_at=now, updated_at=now, name=name, digest=digest, scope=scope, expires_at=expires_at)
    ports.catalog.add(workspace, key)
    return key, text


def parse_api_key(text: str) -> PresentedKey | None:
    """Parse an API key. Returns None for a malformed key; the checksum also detects typing errors."""
    match = _SHAPE.fullmatch(text)
    if match is None or _checksum(text[:-6]) != match[4]:
        return None
    return PresentedKey(WorkspaceUid(match[1]), match[2], text)


def _write(workspace: str, uid: str, random: bytes) -> str:
    body = f"cln_live_{workspace}_{uid}_{_base62(int.from_bytes(random), 43)}"
    return body + _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
