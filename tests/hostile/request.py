"""A hostile request, asking it, and what it costs."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.integration.conftest import Api, Reply

#: Issue 4: no request takes longer, in seconds of CPU time, those of the embedded AWS included.
MAX_CPU = 0.2
#: The best of so many counts: a machine that is busy makes a request dearer, never cheaper.
TRIES = 5
#: Of an answer that refuses, in characters.
MAX_ANSWER = 200_000


@dataclass(frozen=True)
class Ask:
    """`body` is sent as it is when it is bytes. `said` is what a refusal must name: a field, a limit."""

    name: str
    path: str
    body: object
    said: tuple[str, ...] = ()
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, api: Api) -> Reply:
        return api.call(self.method, self.path, self.body, headers=self.headers)


@dataclass(frozen=True)
class Asked:
    """The first answer, and the CPU seconds of the cheapest try."""

    ask: Ask
    reply: Reply
    cpu: float

    def faults(self) -> list[str]:
        """What is wrong with the answer, in words."""
        reply, name = self.reply, self.ask.name
        found = []
        if reply.status >= 500 or reply.status < 200:
            found.append(f"{name}: {reply.status} {reply.text[:200]}")
        if reply.status >= 400 and len(reply.text) > MAX_ANSWER:
            found.append(f"{name}: an answer of {len(reply.text)} characters")
        if reply.status == 422 and not _names_fields(reply.json):
            found.append(f"{name}: names no field: {reply.text[:200]}")
        found += [
            f"{name}: does not say {word!r}: {reply.text[:300]}" for word in self.ask.said if word not in reply.text
        ]
        if self.cpu > MAX_CPU:
            found.append(f"{name}: {1_000 * self.cpu:.0f} ms of CPU time")
        return found


def _names_fields(answer: Any) -> bool:
    """A list that was cut off ends with how many there are besides."""
    return bool(answer["details"]) and all(each["field"] or "more" in each["message"] for each in answer["details"])


def ask(api: Api, request: Ask) -> Asked:
    """Asks again only where the first time was dear."""
    cpu, first = _timed(api, request)
    for _ in range(TRIES - 1):
        if cpu <= MAX_CPU:
            break
        cpu = min(cpu, _timed(api, request)[0])
    return Asked(request, first, cpu)


def _timed(api: Api, request: Ask) -> tuple[float, Reply]:
    began = time.process_time()
    reply = request.send(api)
    return time.process_time() - began, reply
