"""What is signed and hashed with the installation's secret: tokens in links, and addresses on the suppression list."""

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

#: 128 bits, of which nobody guesses one.
_SIGNATURE_BYTES = 16
UNSUBSCRIBE, CONFIRM, OPEN, CLICK = "unsubscribe", "confirm", "open", "click"
#: Variables of templates that Carillon itself fills.
UNSUBSCRIBE_URL, CONFIRM_URL = "unsubscribe_url", "confirm_url"


def sign_token(secret: bytes, purpose: str, parts: Sequence[str]) -> str:
    """Parts, none of which has a dot, joined and signed for one purpose; fits a path."""
    return ".".join((*parts, _sign(secret, purpose, parts)))


def verify_token(secret: bytes, purpose: str, token: str, count: int) -> tuple[str, ...] | None:
    """The parts, None unless there are so many and they were signed for this purpose."""
    *parts, signature = token.split(".")
    genuine = hmac.compare_digest(signature.encode(), _sign(secret, purpose, parts).encode())
    return tuple(parts) if genuine and len(parts) == count else None


def _sign(secret: bytes, purpose: str, parts: Sequence[str]) -> str:
    digest = hmac.new(secret, json.dumps([purpose, *parts]).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).rstrip(b"=").decode()


def hash_address(secret: bytes, workspace: str, kind: AddressKind, address: str) -> str:
    """A keyed hash, the same for all spellings of an e-mail address; nobody without the secret can try addresses."""
    said = json.dumps(["suppression", workspace, kind, address.strip().casefold()])
    return hmac.new(secret, said.encode(), hashlib.sha256).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of messages. `base` is what they begin with; empty where none can be made."""

    secret: bytes
    base: str

    def unsubscribe(self, workspace: str, contact: str, channel_type: str, message_type: MessageType) -> str | None:
        """Where this contact ends this kind of message; the same in every message."""
        if not self.base:
            return None
        return f"{self.base}/u/{sign_token(self.secret, UNSUBSCRIBE, (workspace, contact, channel_type, message_type))}"

    def confirm(self, parts: Sequence[str]) -> str:
        """Where a double opt-in is confirmed."""
        return f"{self.base}/c/{sign_token(self.secret, CONFIRM, parts)}"

    def open(self, uid: MessageUid) -> str:
        """What a mail program loads when the message is opened."""
        return f"{self.base}/o/{sign_token(self.secret, OPEN, _parts(uid))}"

    def click(self, uid: MessageUid, url: str) -> str:
        """Leads to `url` by way of us; the signature covers it, so it leads nowhere else."""
        token = sign_token(self.secret, CLICK, (*_parts(uid), hash_url(url)))
        return f"{self.base}/l/{token}?u={quote(url, safe='')}"


def _parts(uid: MessageUid) -> tuple[str, ...]:
    return tuple(str(uid).split("."))


def hash_url(url: str) -> str:
    """Binds a click's token to where it leads."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]
