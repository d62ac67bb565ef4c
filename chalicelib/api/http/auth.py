"""Authentication by bearer key, which is checked against its stored hash. Results are cached for a minute."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.core.workspaces.api_key import PresentedKey, parse_api_key
from chalicelib.core.workspaces.manage_keys import record_key_use
from chalicelib.errors import Forbidden, Unauthorized
from chalicelib.model.workspace import Key, Scope
from chalicelib.ports import Ports

#: A revoked key works for at most this long.
CACHE_FOR = timedelta(seconds=60)
MAX_CACHED = 1_000
#: Compared for unknown keys, so that they take as long as known ones.
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Caller:
    """A valid key."""

    presented: PresentedKey
    key: Key


@dataclass(slots=True)
class Keyring:
    """Cache of recently checked keys, by digest."""

    _known: dict[str, tuple[Key, datetime]] = field(default_factory=dict)

    def check(self, ports: Ports, header: str | None, needed: Scope) -> Caller:
        """Return the key. Raises Unauthorized for an invalid key and Forbidden if its scope is too small."""
        presented = parse_api_key(_bearer(header))
        key = self._find(ports, presented) if presented else None
        if presented is None or key is None or _has_expired(key, ports.clock.real()):
            raise Unauthorized("User not authenticated")
        if not key.scope.covers(needed):
            raise Forbidden(f"This needs a key of scope {needed}; this one has {key.scope}")
        return Caller(presented, key)

    def _find(self, ports: Ports, presented: PresentedKey) -> Key | None:
        digest, now = presented.digest(ports.secret()), ports.clock.real()
        known = self._known.get(digest)
        if known and timedelta(0) <= now - known[1] < CACHE_FOR:
            return known[0]
        key = ports.catalog.find(presented.workspace, Key, presented.uid)
        if not hmac.compare_digest(key.digest if key else _NO_DIGEST, digest) or key is None:
            self._known.pop(digest, None)
            return None
        key = record_key_use(ports, presented.workspace, key, now)
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[digest] = (key, now)
        return key


def _bearer(header: str | None) -> str:
    word, _, key = (header or "").partition(" ")
    return key.strip() if word.casefold() == "bearer" else ""


def _has_expired(key: Key, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now
