"""SQS long polling that wakes immediately. That of ministack scans the whole queue ten times a second."""

import asyncio
import json
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any
from urllib.parse import urlparse

from infra.local.asgi import Answer, App, ClientDisconnected, Receive, Scope, Send, read_body, replay, with_body

RECEIVE = "AmazonSQS.ReceiveMessage"
#: Operations that make a message visible immediately. Other causes (redrive, SNS) are found after CHECK_SECONDS.
WAKING = frozenset(
    f"AmazonSQS.{name}"
    for name in ("SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch")
)
#: Seconds between checks of a queue while a receive waits.
CHECK_SECONDS = 1.0


class Queues:
    """Answers ReceiveMessage. Calls ministack only when a message is visible."""

    def __init__(self, ministack: App, sqs: Any) -> None:
        self._ministack = ministack
        self._sqs = sqs
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._released = 0.0

    def release(self) -> None:
        """Answer every waiting receive with no messages, because its reader is about to stop."""
        self._released = time.monotonic()
        for name in list(self._waiting):
            self.wake(name)

    def wake(self, name: str) -> None:
        for event in self._waiting[name]:
            event.set()

    async def send_and_wake(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        await self._ministack(scope, replay(body), send)
        with suppress(ValueError, KeyError, TypeError):
            self.wake(queue_name(json.loads(body)["QueueUrl"]))

    async def receive(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer one ReceiveMessage and return whether it delivered messages."""
        body = await read_body(receive)
        try:
            request = json.loads(body)
            name, seconds = queue_name(request["QueueUrl"]), float(request.get("WaitTimeSeconds", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            await self._ministack(scope, replay(body), send)
            return True
        without_wait = json.dumps({**request, "WaitTimeSeconds": 0}).encode()
        began = time.monotonic()
        left = asyncio.ensure_future(_wait_for_end(receive))
        try:
            while True:
                answer = Answer()
                await self._ministack(with_body(scope, without_wait), replay(without_wait), answer.record)
                found = answer.status != 200 or b'"Messages"' in answer.body
                if found or not await self._wait(name, began, min(seconds, 20.0), left):
                    break
            await answer.pass_on(send)
            return found
        finally:
            left.cancel()

    async def _wait(self, name: str, began: float, seconds: float, left: asyncio.Future[None]) -> bool:
        """Wait until the queue has a visible message; False when the time is up. Raises ClientDisconnected."""
        event = asyncio.Event()
        self._waiting[name].add(event)
        try:
            while self._released < began and (remaining := began + seconds - time.monotonic()) > 0:
                visible_in = self._next_visible(name) - time.time()
                if visible_in <= 0:
                    return True
                event.clear()
                woken = asyncio.ensure_future(event.wait())
                waited: set[asyncio.Future[Any]] = {woken, left}
                pause = min(remaining, visible_in, CHECK_SECONDS)
                await asyncio.wait(waited, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
                if left.done():
                    raise ClientDisconnected
            return False
        finally:
            self._waiting[name].discard(event)

    def _next_visible(self, name: str) -> float:
        """Return when the next message becomes visible, in epoch seconds; infinity for an empty queue."""
        queues = (q for (_, _, url), q in self._sqs._queues.all_items() if queue_name(url) == name)
        return min((m["visible_at"] for q in queues for m in q["messages"]), default=float("inf"))


def queue_name(url: str) -> str:
    """Return the queue's name from its URL. The host may differ: ministack answers with the host of the request."""
    return urlparse(url).path.rpartition("/")[2] or url


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
