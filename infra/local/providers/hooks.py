"""Webhook URLs by Meta phone number id. Registration sends a challenge, as Meta's console does."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from infra.local.data import write_atomically
from infra.local.providers.credentials import META
from infra.local.providers.inbox import ProviderResponse

SECONDS = 5.0
#: Without a proxy, since the receiver is a process of this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Hooks:
    """The registered URLs, stored in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def register(self, body: bytes) -> ProviderResponse:
        """Store the URL of `{"phoneNumberId", "callbackUrl"}` if it answers the challenge."""
        try:
            request = json.loads(body)
            number, url = str(request["phoneNumberId"]), str(request["callbackUrl"])
        except (ValueError, KeyError, TypeError):
            return ProviderResponse(400, {"message": "needs phoneNumberId and callbackUrl"})
        if not answers_challenge(url):
            return ProviderResponse(400, {"message": "The callback URL did not answer the challenge"})
        self.known[number] = url
        write_atomically(self._path, json.dumps(self.known))
        return ProviderResponse(200, {"success": True})


def answers_challenge(url: str) -> bool:
    """Return whether the URL answers Meta's verification request with its challenge."""
    if not url.startswith(("http://", "https://")):
        return False
    challenge = uuid4().hex
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": META["verifyToken"]}
    try:
        with _open(f"{url}?{urllib.parse.urlencode(query)}", timeout=SECONDS) as answer:
            return bool(answer.read(200).decode(errors="replace") == challenge)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def post(url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Send the body and return whether the receiver answered 2xx."""
    try:
        request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310  http on purpose
        with _open(request, timeout=SECONDS) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, ValueError, urllib.error.URLError):
        return False
