"""A receiver of webhooks, and helpers to create, verify and list deliveries."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from chalicelib.providers.http import Reply, Request
from chalicelib.providers.webhook_client import SignedWebhookClient
from chalicelib.wiring import use_ports
from tests.integration.harness import Story

URL = "https://hooks.example.com/in"
#: Waits before the second to fifth attempt, each with one minute for the clock.
WAITS = (timedelta(minutes=2), timedelta(minutes=6), timedelta(minutes=62), timedelta(hours=24, minutes=2))


@dataclass
class Receiver:
    """A customer's server. It answers as scripted and stores the requests."""

    answers: Callable[[int], int] = lambda _: 200
    requests: list[Request] = field(default_factory=list)

    def post(self, request: Request, address: str | None = None) -> Reply:
        assert address == "93.184.215.14"
        self.requests.append(request)
        return Reply(self.answers(len(self.requests)), {}, b"")

    @property
    def events(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]

    @property
    def names(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def receiver(story: Story) -> Receiver:
    server = Receiver()
    caller = SignedWebhookClient(
        frozenset(),
        server,  # type: ignore[arg-type]  # replaces the network
        lambda host, port: ("93.184.215.14",) if host == "hooks.example.com" else (),
        lambda: story.now,
    )
    story.world.ports = replace(story.world.ports, webhook_caller=caller)
    use_ports(story.world.ports)
    return server


def make(story: Story, *events: str, **fields: Any) -> Any:
    return story.expect(201, story.api.post("/v1/webhooks", {"url": URL, "events": list(events), **fields}))


def later(story: Story, span: timedelta) -> None:
    story.time_travel.shift(span)
    story.run()


def verify(secret: str, request: Request) -> Any:
    return Verifier(secret).verify(request.body, dict(request.headers))


def deliveries(story: Story, hook: Any, query: str = "") -> Any:
    return story.api.get(f"/v1/webhooks/{hook['uid']}/deliveries{query}").json["data"]
