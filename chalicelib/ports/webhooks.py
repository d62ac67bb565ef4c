"""The ports of outgoing webhooks.

The function that calls a customer's URL has no access to stored data. So deliveries and calls use two queues: one for
the function that reads, signs and records, and one for the function that calls.
"""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.webhook import CallResult, OutgoingCall


class WebhookScheduler(Protocol):
    """The queue of the function that prepares deliveries and records their results."""

    def schedule(self, workspace: WorkspaceUid, deliveries: Sequence[str]) -> None:
        """Request the delivery of any number of due WebhookDelivery uids."""

    def report(self, result: CallResult) -> None:
        """Report the result of one call."""


class WebhookQueue(Protocol):
    """The queue of the function that calls."""

    def send(self, call: OutgoingCall) -> None:
        """Send a call; it is made at least once."""


class WebhookCaller(Protocol):
    """The HTTP client for URLs that users have configured."""

    def check(self, url: str) -> None:
        """Check a URL. InvalidRequest unless it uses HTTPS on port 443 and a public address."""

    def call(self, call: OutgoingCall) -> tuple[int | None, str | None]:
        """Sign and send a call; return the response's status, or None and the reason. Takes 10 seconds at most."""
