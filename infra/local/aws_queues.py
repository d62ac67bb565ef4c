"""SQS long polling that wakes at once: ministack's own looks at the whole queue ten times a second."""

import asyncio
import json
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any
from urllib.parse import urlparse

from infra.local.asgi import Answer, App, Gone, Receive, Scope, Send, read_body, replay, with_body

RECEIVE = "AmazonSQS.ReceiveMessage"
#: What can make a message visible at once. Others (a dead-letter sweep, SNS) are found by LOOK_SECONDS.
WAKING = frozenset(
    f"AmazonSQS.{name}"
    for name in ("SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch")
)
#: How long a waiting receive trusts what it knows about a queue.
LOOK_SECONDS = 1.0


class Queues:
    """Answers ReceiveMessage by asking ministack only when a message is visible."""

    def __init__(self, ministack: App, sqs: Any) -> None:
        self._ministack = ministack
        self._sqs = sqs
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._released = 0.0

    def release(self) -> None:
        """Answer every waiting receive now, empty: its reader is about to end and must not be given messages."""
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
        """Answer one ReceiveMessage; True when it handed out messages."""
        body = await read_body(receive)
        try:
            asked = json.loads(body)
            name, seconds = queue_name(asked["QueueUrl"]), float(asked.get("WaitTimeSeconds", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            await self._ministack(scope, replay(body), send)
            return True
        at_once = json.dumps({**asked, "WaitTimeSeconds": 0}).encode()
        began = time.monotonic()
        left = asyncio.ensure_future(_wait_for_end(receive))
        try:
            while True:
                answer = Answer()
                await self._ministack(with_body(scope, at_once), replay(at_once), answer.take)
                found = answer.status != 200 or b'"Messages"' in answer.body
                if found or not await self._wait(name, began, min(seconds, 20.0), left):
                    break
            await answer.pass_on(send)
            return found
        finally:
            left.cancel()

    async def _wait(self, name: str, began: float, seconds: float, left: asyncio.Future[None]) -> bool:
        """Wait until the queue has a visible message; False when the time is up. Raises Gone when the reader left."""
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
                pause = min(remaining, visible_in, LOOK_SECONDS)
                await asyncio.wait(waited, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
                if left.done():
                    raise Gone
            return False
        finally:
            self._waiting[name].discard(event)

    def _next_visible(self, name: str) -> float:
        """When the next message of the queue is visible, in epoch seconds; infinity when it is empty."""
        queues = (q for (_, _, url), q in self._sqs._queues.all_items() if queue_name(url) == name)
        return min((m["visible_at"] for q in queues for m in q["messages"]), default=float("inf"))


def queue_name(url: str) -> str:
    """The same for every spelling of a queue's URL: ministack answers with the host it was asked on."""
    return urlparse(url).path.rpartition("/")[2] or url


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
