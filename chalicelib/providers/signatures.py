"""Compute the signatures of callbacks and compare them in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def sign_twilio(auth_token: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """`X-Twilio-Signature`: HMAC-SHA1 over the exact URL and the form's pairs, sorted, each pair once.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def verify_twilio(auth_token: str, url: str, parameters: Iterable[tuple[str, str]], signature: str) -> bool:
    """Report whether Twilio signed this request. False for an empty token."""
    return _is_same(auth_token, sign_twilio(auth_token, url, parameters), signature)


def sign_meta(app_secret: str, body: bytes) -> str:
    """`X-Hub-Signature-256`: HMAC-SHA256 over the raw bytes.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
    """
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def verify_meta(app_secret: str, body: bytes, signature: str) -> bool:
    """Report whether Meta signed this request. False for an empty secret."""
    return _is_same(app_secret, sign_meta(app_secret, body), signature)


def _is_same(key: str, expected: str, received: str) -> bool:
    return bool(key) and hmac.compare_digest(expected.encode(), received.encode(errors="replace"))
