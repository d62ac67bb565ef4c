"""What telling webhooks needs of the world."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.webhook import CallResult, OutgoingCall


class WebhookScheduler(Protocol):
    """The queue of those who may read and sign: what is due, and what became of calls."""

    def ask(self, workspace: WorkspaceUid, deliveries: Sequence[str]) -> None:
        """These deliveries are due; any number of uids."""

    def report(self, result: CallResult) -> None:
        """What became of one call."""


class WebhookQueue(Protocol):
    """The queue of the function that calls."""

    def send(self, call: OutgoingCall) -> None:
        """Arrives at least once."""


class WebhookCaller(Protocol):
    """Calls what users wrote down as their URLs."""

    def check(self, url: str) -> None:
        """InvalidRequest for a URL that is never called: another scheme or port, or an address that is not public."""

    def call(self, call: OutgoingCall) -> tuple[int | None, str | None]:
        """Signs and sends it: the answer's status, or why there is none. Takes about 10 seconds at most."""
