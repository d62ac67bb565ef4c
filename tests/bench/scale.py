"""Launch, pause, resume, recount and cancel of a large flow: calls and CPU time of the request and of its jobs."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chalicelib.model.contact import Contact
from chalicelib.model.ids import new_uid
from tests.bench.calls import WATCHED, MeteredStory, open_story
from tests.bench.latency import Stopwatch
from tests.bench.meter import POLLING
from tests.integration.conftest import Reply

SIZES = (10_000, 100_000)
#: Pacing so slow that only the first message is due, so that sends are not part of the measurement.
PACE = {"pauseBetweenContactsMs": 3_600_000}
#: Contacts per transaction.
MANY = 25


@dataclass
class Counting(Stopwatch):
    """A stopwatch that also counts calls by operation."""

    names: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def watch(self, *clients: Any) -> Iterator[None]:
        with super().watch(*clients):
            for client in clients:
                client.meta.events.register("before-call", self._note, unique_id="scale-note")
            yield
            for client in clients:
                client.meta.events.unregister("before-call", self._note, unique_id="scale-note")

    def _note(self, model: Any, **_: Any) -> None:
        self.names[model.name] += model.name not in POLLING


def measure(sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """Measure one size after the other. Raise AssertionError when a flow ends in a wrong state."""
    return [_measure(count) for count in sizes]


def _measure(count: int) -> dict[str, Any]:
    with open_story() as story:
        story.set_up(0)
        _fill(story, count)
        wish = {"name": "All", "filter": {"field": "firstName", "op": "exists"}}
        segment = story.expect(201, story.api.post("/v1/segments", wish))["uid"]
        body = {"campaignUid": story.short_campaign(), "channelUid": story.channel, "segmentUid": segment}
        watch, parts = Counting(), {}
        with watch.watch(*(story.world.aws.client(service) for service in WATCHED)):
            started, parts["launch"] = _do(
                story, watch, lambda: story.api.post("/flows", {"configuration": PACE, **body})
            )
            path = f"/flows/{started.data['uid']}"
            shown = story.expect(200, story.api.get(path))
            assert (shown["status"], shown["contactCount"]) == ("running", count), shown
            for name, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
                if name == "cancel":
                    _, parts["recount"] = _do(story, watch, lambda: story.api.post(f"{path}/recount"))
                _, parts[name] = _do(story, watch, lambda to=status: story.api.patch(path, {"status": to}))
        stats = story.expect(200, story.api.get(path))["stats"]
        assert stats["skipped"] == count, stats
        return {"executions": count, **parts}


def _do(story: MeteredStory, watch: Counting, ask: Callable[[], Reply]) -> tuple[Reply, dict[str, Any]]:
    """Send the request and run its due jobs."""
    reply, request = _timed(watch, ask)
    assert reply.status < 300, reply.text
    _, jobs = _timed(watch, lambda: story.world.drain("JobQueue"))
    return reply, {"request": request, "jobs": jobs}


def _timed(watch: Counting, do: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    watch.names.clear()
    began = watch.read()
    done = do()
    seconds = watch.read() - began
    return done, {"cpu_seconds": seconds, "calls": watch.names.total(), "by_operation": dict(watch.names)}


def _fill(story: MeteredStory, count: int) -> None:
    """Store contacts with a first name only. The clock moves on: a contact created at the launch is no member."""
    now = story.now
    people = [Contact(uid=new_uid(), first_name=f"N{n}", created_at=now, updated_at=now) for n in range(count)]
    for start in range(0, count, MANY):
        story.world.ports.contacts.add_many(story.api.workspace, people[start : start + MANY])
    story.time_travel.shift(timedelta(seconds=1))
