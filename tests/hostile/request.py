"""A hostile request: how it is sent, and its cost."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.integration.conftest import Api, Reply

#: Limit of CPU time per request, in s, including the embedded AWS (issue 4).
MAX_CPU = 0.2
#: Number of tries. The cheapest counts, because a busy machine only makes a request costlier.
TRIES = 5
#: Longest error response, in characters.
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
    """The first response, and the CPU seconds of the cheapest try."""

    ask: Ask
    reply: Reply
    cpu: float

    def faults(self) -> list[str]:
        """Return what is wrong with the response; empty if nothing is."""
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
    """Return whether every detail names a field; the last one of a shortened list counts the omitted ones."""
    return bool(answer["details"]) and all(each["field"] or "more" in each["message"] for each in answer["details"])


def ask(api: Api, request: Ask) -> Asked:
    """Send the request; repeat it only if the first try was costly."""
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
