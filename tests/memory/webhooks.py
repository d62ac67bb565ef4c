"""Webhook queues in lists, and a caller that gets the status 200 for every call."""

from collections.abc import Sequence

from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.webhook import CallResult, OutgoingCall


class MemoryWebhookScheduler:
    """Implements `ports.WebhookScheduler` in memory."""

    def __init__(self) -> None:
        self.due: list[tuple[WorkspaceUid, str]] = []
        self.results: list[CallResult] = []

    def schedule(self, workspace: WorkspaceUid, deliveries: Sequence[str]) -> None:
        self.due += [(workspace, uid) for uid in deliveries]

    def report(self, result: CallResult) -> None:
        self.results.append(result)


class MemoryWebhookQueue:
    """Implements `ports.WebhookQueue` in memory."""

    def __init__(self) -> None:
        self.calls: list[OutgoingCall] = []

    def send(self, call: OutgoingCall) -> None:
        self.calls.append(call)


class MemoryWebhookCaller:
    """Implements `ports.WebhookCaller` in memory."""

    def __init__(self) -> None:
        self.called: list[OutgoingCall] = []

    def check(self, url: str) -> None:
        del url

    def call(self, call: OutgoingCall) -> tuple[int | None, str | None]:
        self.called.append(call)
        return 200, None
