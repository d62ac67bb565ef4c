"""A workspace with channel, template, contacts and campaigns, on a clock that moves from one due time to the next."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import pytest
import time_machine

from chalicelib.wiring import use_ports
from chalicelib.workers import clock as clock_worker
from infra.local.clock import build_event
from tests.builders import ab_test, condition, end, tag, wait
from tests.integration.conftest import Api, World
from tests.recording_channel import RecordingChannel

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class PatchedPort:
    """A port with some methods replaced."""

    def __init__(self, port: object, **methods: Callable[..., Any]) -> None:
        self._port = port
        vars(self).update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


@dataclass
class Story:
    """The API, the queues, the provider and the clock of one test."""

    world: World
    api: Api
    provider: RecordingChannel
    time_travel: time_machine.Traveller
    channel: str = ""
    template: str = ""
    ticked: datetime = START
    contacts: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def expect(self, status: int, reply: Any) -> Any:
        """Check the status of a response and return its data."""
        assert reply.status == status, (reply.status, reply.text)
        return reply.json.get("data")

    def set_up(self, contacts: int = 3) -> None:
        """Create a channel, a published template and `contacts` contacts."""
        self.channel = self.expect(201, self.api.post("/v1/channels", {"name": "Console", "type": "console"}))["uid"]
        self.template = self.add_template("Hello {{ first_name }}")
        self.add_contacts(contacts)

    def add_template(self, text: str, publish: bool = True, **fields: Any) -> str:
        body = {"name": "Hello", "channelType": "console", "content": {"text": text}, **fields}
        uid = self.expect(201, self.api.post("/v1/templates", body))["uid"]
        if publish:
            self.expect(200, self.api.post(f"/v1/templates/{uid}/publish"))
        return str(uid)

    def add_contacts(self, count: int) -> list[str]:
        first = len(self.contacts)
        for number in range(first, first + count):
            body = {"email": f"c{number}@example.com", "firstName": f"Name{number}"}
            self.contacts.append(self.expect(201, self.api.post("/v1/contacts", body))["uid"])
        return self.contacts[first:]

    def short_campaign(self, **fields: Any) -> str:
        body = {"name": "Short", "channelUid": self.channel, "templateUid": self.template, **fields}
        return str(self.expect(201, self.api.post("/v1/campaigns", body))["uid"])

    def campaign(self, *steps: Mapping[str, Any], **fields: Any) -> str:
        body = {"name": "Steps", "steps": list(steps), **fields}
        return str(self.expect(201, self.api.post("/v1/campaigns", body))["uid"])

    def example(self) -> list[dict[str, Any]]:
        """Return the steps of the example in the documentation."""
        return [
            self.send("hello", channelUid=self.channel),
            wait("pause"),
            condition("opened", {"message": "hello", "is": "opened"}, [tag("mark", "engaged")], [self.send("remind")]),
            ab_test("which", A=[], B=[]),
            end(),
        ]

    def send(self, name: str, **fields: Any) -> dict[str, Any]:
        return {"id": name, "type": "SEND", "templateUid": self.template, **fields}

    def start(self, campaign: str, contacts: list[str] | None = None, **fields: Any) -> str:
        body = {"channelUid": self.channel, "campaignUid": campaign, "contactUids": contacts or self.contacts, **fields}
        return str(self.expect(201, self.api.post("/flows", body))["uid"])

    def flow(self, uid: str) -> Any:
        return self.expect(200, self.api.get(f"/flows/{uid}"))

    def set_status(self, uid: str, status: str) -> Any:
        return self.expect(200, self.api.patch(f"/flows/{uid}", {"status": status}))

    def execution(self, flow: str, contact: str) -> Any:
        return self.expect(200, self.api.get(f"/flows/{flow}/executions/{contact}"))

    def advance(self, span: timedelta, step: timedelta = timedelta(seconds=1)) -> None:
        """Move the clock in steps. Run the clock rule each minute, and the workers after each step.

        Steps without a visible message and without a full minute are merged, because nothing can happen at them.
        """
        end = self.now + span
        self.run(end)
        while self.now < end:
            due = min(self.world.next_visible(), (self.ticked + timedelta(minutes=1)).timestamp())
            # A float of seconds is some tenths of a microsecond off.
            steps = max(1, ceil((due - self.now.timestamp() - 1e-6) / step.total_seconds()))
            self.time_travel.shift(min(steps * step, end - self.now))
            self.run(end)

    def run(self, until: datetime | None = None) -> None:
        """Run the clock rule if a minute has passed, then the workers until no message is visible."""
        if self.now - self.ticked >= timedelta(minutes=1):
            self.ticked = self.now
            self.tick()
        while (until is None or self.now <= until) and self.world.deliver_all():
            pass

    def tick(self) -> None:
        clock_worker.tick(build_event("tick", self.now.timestamp()), None)


def fields_of(reply: Any) -> list[str]:
    """Return the fields that a refused request names, in alphabetical order."""
    return sorted(detail["field"] for detail in reply.json["details"])


@pytest.fixture
def story(world: World) -> Iterator[Story]:
    """Yield a story in virtual time. Only the test, and a worker that sleeps, moves the time."""
    with time_machine.travel(START, tick=False) as time_travel:
        provider = RecordingChannel(world.ports.clock)
        clock = SleepingClock(world.ports.clock, time_travel)
        provider.clock = clock
        ports = replace(world.ports, clock=clock, channel_types={"console": provider})
        world.ports = ports
        use_ports(ports)
        yield Story(world, world.new_caller(), provider, time_travel)


class SleepingClock:
    """The system clock with a `sleep` that moves the virtual time."""

    speed = 1.0

    def __init__(self, clock: Any, time_travel: time_machine.Traveller) -> None:
        self._clock, self._time_travel = clock, time_travel

    def now(self) -> datetime:
        return self._clock.now()

    def real(self) -> datetime:
        return self._clock.real()

    def sleep(self, span: timedelta) -> None:
        self._time_travel.shift(span)


__all__ = ["Story", "fields_of", "story"]
