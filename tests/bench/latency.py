"""CPU time of each API route in process, with botocore, without the emulated AWS and the caller."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.api.http.routes import ROUTES
from chalicelib.model.message import MessageType
from chalicelib.model.signing import Links
from infra.local.lambda_runtime import Context
from tests.bench.calls import WATCHED, open_story
from tests.integration.conftest import Api
from tests.integration.example_recorder import record
from tests.integration.harness import Story

#: Runs of the whole API. The first run, which also imports and compiles, is not counted.
RUNS = 20
#: Repetitions of each GET, which changes nothing.
TIMES = 5
BASE = "https://carillon.example"


@dataclass
class Stopwatch:
    """CPU time of this process without the emulator's share, and the number of calls to AWS."""

    calls: int = 0
    _away: float = 0.0
    #: Some lists query several shards in parallel threads.
    _left: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> float:
        """Return the CPU time so far, in seconds."""
        return time.process_time() - self._away

    @contextmanager
    def watch(self, *clients: Any) -> Iterator[None]:
        """Exclude the emulator, which runs between the first and the last handler of `before-send`."""
        for client in clients:
            client.meta.events.register_first("before-send", self._leave, unique_id="watch-leave")
            client.meta.events.register_last("before-send", self._return, unique_id="watch-return")
        try:
            yield
        finally:
            for client in clients:
                client.meta.events.unregister("before-send", self._leave, unique_id="watch-leave")
                client.meta.events.unregister("before-send", self._return, unique_id="watch-return")

    def _leave(self, **_: Any) -> None:
        self._left.at = time.thread_time()

    def _return(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            self._away += time.thread_time() - self._left.at


@dataclass
class Samples:
    """CPU seconds and number of AWS calls of each request of one route."""

    seconds: list[float] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)


@dataclass
class TimedApi(Api):
    """An API client that records the cost of each request by method and route."""

    watch: Stopwatch = field(default_factory=Stopwatch)
    samples: defaultdict[str, Samples] = field(default_factory=lambda: defaultdict(Samples))

    def invoke(self, event: dict[str, Any], context: Context) -> Any:
        method = event["requestContext"]["httpMethod"]
        kept = self.samples[f"{method} {event['requestContext']['resourcePath']}"]
        for _ in range(TIMES if method == "GET" else 1):
            began, calls = self.watch.read(), self.watch.calls
            answer = super().invoke(event, context)
            kept.seconds.append(self.watch.read() - began)
            kept.calls.append(self.watch.calls - calls)
        return answer


def measure(runs: int = RUNS) -> dict[str, Any]:
    """Return CPU time by route in ms, and the routes that no request reached."""
    samples: defaultdict[str, Samples] = defaultdict(Samples)
    for run in range(runs + 1):
        played = _play()
        if run == 0:
            continue
        for route, found in played.items():
            samples[route].seconds += found.seconds
            samples[route].calls += found.calls
    routes = [{"route": route, **_show(found)} for route, found in samples.items()]
    known = {f"{route.method} {route.path}" for route in ROUTES}
    routes.sort(key=lambda each: each["route"].split()[::-1])
    return {"runs": runs, "routes": routes, "missing": sorted(known - set(samples))}


def _play() -> dict[str, Samples]:
    with open_story() as story:
        api = TimedApi(story.api.key, story.api.workspace)
        story.api = api
        with api.watch.watch(*(story.world.aws.client(service) for service in (*WATCHED, "secretsmanager"))):
            record(story)
            _follow_links(story)
        return api.samples


def _follow_links(story: Story) -> None:
    """Request what needs no key: the OpenAPI document and the links of a message."""
    story.set_up(1)
    story.start(story.short_campaign())
    story.run()
    uid, links = story.provider.calls[-1].message.uid, Links(story.world.ports.secret(), BASE)
    leave = links.unsubscribe(story.api.workspace, story.contacts[0], "console", MessageType.NEWSLETTER) or ""
    for url in (leave, links.open(uid), links.click(uid, "https://example.com/"), "/openapi.json", "/docs"):
        story.api.get(url.removeprefix(BASE))
    story.api.post(leave.removeprefix(BASE))


def _show(found: Samples) -> dict[str, Any]:
    return {
        "asked": len(found.seconds),
        "p50_ms": 1_000 * percentile(found.seconds, 50),
        "p99_ms": 1_000 * percentile(found.seconds, 99),
        "calls": max(found.calls),
    }


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile by nearest rank, which is a measured value. Below 100 values the 99th is the largest."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]
