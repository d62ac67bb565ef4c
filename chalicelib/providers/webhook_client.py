"""Call the webhooks of a workspace: signed by Standard Webhooks, at the checked address.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standardwebhooks import Webhook as Signer

from chalicelib.errors import invalid
from chalicelib.model.message import TransientFailure
from chalicelib.providers.http import Http, Reply, Request
from chalicelib.providers.url_guard import NoAddress, NotAllowed, check_url, find_address, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.model.webhook import OutgoingCall

#: Time to read a response, in s. A slower receiver is called again later.
ANSWER_SECONDS = 5.0


class SignedWebhookClient:
    """Implementation of `WebhookCaller`. `allowed`: `host:port` of internal receivers that may be called."""

    def __init__(
        self,
        allowed: frozenset[str],
        http: Http | None = None,
        resolver: Callable[[str, int], tuple[str, ...]] = resolve,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._allowed, self._resolve, self._now = allowed, resolver, now
        self._http = http or Http(read_seconds=ANSWER_SECONDS)

    def check(self, url: str) -> None:
        try:
            check_url(url, self._allowed)
        except NotAllowed as error:
            raise invalid("url", str(error)) from error

    def call(self, call: OutgoingCall) -> tuple[int | None, str | None]:
        """Call the receiver. The name is resolved once, so that its address cannot change after the check."""
        try:
            address = find_address(check_url(call.url, self._allowed), self._resolve)
        except NotAllowed:
            return None, "url_not_allowed"
        except NoAddress:
            return None, "no_address_of_host"
        reply = self._http.post(self._sign(call), address)
        if isinstance(reply, Reply):
            return reply.status, None
        return None, f"not_connected: {reply.code}" if isinstance(
            reply, TransientFailure
        ) else f"no_answer: {reply.why}"

    def _sign(self, call: OutgoingCall) -> Request:
        now = self._now()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": call.delivery,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(Signer(each).sign(call.delivery, now, call.body) for each in call.secrets),
        }
        return Request(call.url, headers, call.body.encode())
