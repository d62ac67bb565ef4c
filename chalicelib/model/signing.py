"""Signatures and hashes with the secret of the installation: tokens in links, addresses on the suppression list."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from chalicelib.model.ids import MessageUid
from chalicelib.model.message import MessageType
from chalicelib.model.suppression import AddressKind

#: 128 bits, which cannot be guessed.
_SIGNATURE_BYTES = 16
UNSUBSCRIBE, CONFIRM, OPEN, CLICK = "unsubscribe", "confirm", "open", "click"
#: Template variables that Carillon itself fills.
UNSUBSCRIBE_URL, CONFIRM_URL = "unsubscribe_url", "confirm_url"


def sign_token(secret: bytes, purpose: str, parts: Sequence[str]) -> str:
    """Join parts and sign them for one purpose. No part may contain a dot; the result is safe in a URL path."""
    return ".".join((*parts, _sign(secret, purpose, parts)))


def verify_token(secret: bytes, purpose: str, token: str, count: int) -> tuple[str, ...] | None:
    """Return the parts of a token; None unless it has this number of parts and was signed for this purpose."""
    *parts, signature = token.split(".")
    genuine = hmac.compare_digest(signature.encode(), _sign(secret, purpose, parts).encode())
    return tuple(parts) if genuine and len(parts) == count else None


def _sign(secret: bytes, purpose: str, parts: Sequence[str]) -> str:
    digest = hmac.new(secret, json.dumps([purpose, *parts]).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).rstrip(b"=").decode()


def hash_address(secret: bytes, workspace: str, kind: AddressKind, address: str) -> str:
    """Return a keyed hash, the same for all spellings of an e-mail address.

    Without the secret, an address cannot be tested against the hash.
    """
    text = json.dumps(["suppression", workspace, kind, address.strip().casefold()])
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Links:
    """Builds the links in messages. `base` is their base URL; without it no links can be built."""

    secret: bytes
    base: str

    def unsubscribe(self, workspace: str, contact: str, channel_type: str, message_type: MessageType) -> str | None:
        """Return the link that unsubscribes this contact from this kind of message; the same in every message."""
        if not self.base:
            return None
        return f"{self.base}/u/{sign_token(self.secret, UNSUBSCRIBE, (workspace, contact, channel_type, message_type))}"

    def confirm(self, parts: Sequence[str]) -> str:
        """Return the link that confirms a double opt-in."""
        return f"{self.base}/c/{sign_token(self.secret, CONFIRM, parts)}"

    def open(self, uid: MessageUid) -> str:
        """Return the URL of the tracking image, which mail clients load when the message is opened."""
        return f"{self.base}/o/{sign_token(self.secret, OPEN, _parts(uid))}"

    def click(self, uid: MessageUid, url: str) -> str:
        """Return the tracking link that redirects to `url`.

        The signature includes `url`, so the link cannot redirect elsewhere.
        """
        token = sign_token(self.secret, CLICK, (*_parts(uid), hash_url(url)))
        return f"{self.base}/l/{token}?u={quote(url, safe='')}"


def _parts(uid: MessageUid) -> tuple[str, ...]:
    return tuple(str(uid).split("."))


def hash_url(url: str) -> str:
    """Return the hash that binds a click token to its target URL."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]
