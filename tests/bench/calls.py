"""Meters whole flows in process: the API, the queues and the workers on ministack, in virtual time."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import time_machine

from chalicelib.model.contact import Contact
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, new_uid
from chalicelib.settings import read_settings
from chalicelib.wiring import build_ports, use_ports
from infra.local.resources import physical_name, queue_urls
from tests.bench.meter import POLLING, Meter, Tally
from tests.bench.sizes import item_bytes
from tests.builders import condition, end, tag, wait
from tests.embedded_aws import EmbeddedAws
from tests.integration.conftest import World
from tests.integration.harness import START, SleepingClock, Story
from tests.recording_channel import RecordingChannel

#: Numbers of contacts that show how cost grows.
SIZES = (1_000, 10_000)
WAIT = timedelta(days=2)
SIX_NODES = "SEND, WAIT 2 d, CONDITION, SEND, TAG, END"
#: Steps of the clock during the wait and near its end. The steps shrink because the sweep looks 10 minutes ahead.
STRIDE, NEAR = timedelta(hours=4), timedelta(minutes=5)
#: Minutes of waiting over which the cost of the clock rule is measured.
MINUTES = 5
#: Polls of the flow, 5 s apart. Ten minutes suffice for 100,000 contacts.
LOOKS = 120
TABLE = physical_name("ExecutionsTable")
WATCHED = ("dynamodb", "sqs", "s3")


@dataclass
class MeteredStory(Story):
    """A story that counts calls of the clock rule separately, because they cost per minute."""

    meter: Meter = field(kw_only=True)
    ticks: Tally = field(default_factory=Tally)

    def tick(self) -> None:
        with self.meter.book_to(self.ticks):
            super().tick()

    def add_contacts(self, count: int) -> list[str]:
        """Add contacts without the API, because their creation is not part of the measurement."""
        now = self.now
        for n in range(count):
            contact = Contact(
                uid=new_uid(), email=f"c{n}@example.com", first_name=f"Name{n}", created_at=now, updated_at=now
            )
            self.world.ports.contacts.add(self.api.workspace, contact)
            self.contacts.append(contact.uid)
        return self.contacts

    def wait_out(self, span: timedelta) -> Tally:
        """Advance beyond the wait. Return the cost of the clock rule in its first minutes, while executions wait."""
        self.advance(timedelta(minutes=1))
        idle = self.ticks = Tally()
        self.advance(timedelta(minutes=MINUTES), step=timedelta(minutes=1))
        self.ticks = Tally()
        end = START + span
        for before_end, step in ((6 * NEAR, STRIDE), (NEAR / 10, NEAR), (-NEAR / 10, timedelta(seconds=1))):
            self.advance(end - before_end - self.now, step=step)
        return idle

    def see_through(self, flow: str) -> None:
        """Advance until the flow ends, at most 10 minutes. The polls are not counted."""
        uid, catalog = FlowUid(flow), self.world.ports.catalog
        for _ in range(LOOKS):
            self.advance(timedelta(seconds=5))
            with self.meter.book_to(Tally()):
                found = catalog.find(self.api.workspace, Flow, uid)
            if found is None or found.is_over:
                return


@contextmanager
def open_story() -> Iterator[MeteredStory]:
    """Yield a story on an empty AWS with one workspace, in virtual time."""
    aws = EmbeddedAws()
    aws.reset()
    environment = {"STAGE": "test", **aws.provision()}
    if "SIGNING_SECRET_ID" not in environment:
        secret = aws.client("secretsmanager").create_secret(Name="carillon-signing", SecretString=uuid.uuid4().hex)
        environment["SIGNING_SECRET_ID"] = secret["Name"]
    ports = build_ports(read_settings(environment), aws.client)
    with time_machine.travel(START, tick=False) as time_travel:
        clock = SleepingClock(ports.clock, time_travel)
        provider = RecordingChannel(clock)
        world = World(aws, replace(ports, clock=clock, channel_types={"console": provider}), queue_urls(aws.client))
        use_ports(world.ports)
        try:
            meter = Meter(aws.unheard_client("dynamodb"))
            yield MeteredStory(world, world.new_caller(), provider, time_travel, meter=meter)
        finally:
            use_ports(None)


@dataclass(frozen=True, slots=True)
class Metered:
    """Cost of a flow: its calls, the sizes of waiting executions in bytes, and the clock rule's cost while waiting."""

    name: str
    contacts: int
    tally: Tally
    rows: tuple[int, ...] = ()
    minute: Tally | None = None

    def figures(self) -> dict[str, Any]:
        """Return the figures per contact."""
        tally, count = self.tally, self.contacts
        shown: dict[str, Any] = {
            "campaign": self.name,
            "contacts": count,
            "calls": tally.own_calls / count,
            "write_units": tally.write_units.total() / count,
            "read_units": sum(tally.read_units.values()) / count,
            "sqs_requests": tally.sqs_requests / count,
            "invocations": tally.sqs_batches / count,
            "refused_writes": tally.refused / count,
            "calls_by_operation": {
                f"{service} {name}": calls / count
                for (service, name), calls in tally.calls.most_common()
                if name not in POLLING
            },
            "write_units_by_table": _shares(tally.write_units, count),
            "read_units_by_table": _shares(tally.read_units, count),
        }
        if self.rows:
            shown["waiting_row_bytes"] = {"largest": max(self.rows), "mean": sum(self.rows) / len(self.rows)}
        if self.minute:
            shown["calls_a_minute_while_waiting"] = self.minute.own_calls / MINUTES
        return shown


def _shares(units: Mapping[str, float], count: int) -> dict[str, float]:
    return {place: total / count for place, total in sorted(units.items()) if total}


def measure(sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """Measure each campaign at every size. Raise AssertionError when a flow does not complete."""
    return [run(contacts).figures() for run in (_one_send, run_six_nodes) for contacts in sizes]


def _one_send(contacts: int) -> Metered:
    with open_story() as story:
        story.set_up(contacts)
        body = _to_everybody(story, story.short_campaign())
        with _watching(story):
            flow = story.expect(201, story.api.post("/flows", body))["uid"]
            story.see_through(flow)
        _check(story, flow, contacts)
        return Metered("SEND", contacts, story.meter.tally)


def run_six_nodes(contacts: int) -> Metered:
    """Measure the six-node campaign of the budget."""
    with open_story() as story:
        story.set_up(contacts)
        choice = condition("choice", {"tag": "leaving"}, [end("gone")], [])
        steps = (story.send("one"), wait("pause", "P2D"), choice, story.send("two"), tag("mark", "greeted"), end("end"))
        body = _to_everybody(story, story.campaign(*steps))
        with _watching(story):
            flow = story.expect(201, story.api.post("/flows", body))["uid"]
            story.run()
            story.advance(timedelta(seconds=5))
            rows = tuple(_row_bytes(story))
            idle = story.wait_out(WAIT)
            story.see_through(flow)
        _check(story, flow, 2 * contacts)
        return Metered(SIX_NODES, contacts, story.meter.tally, rows, idle)


def _to_everybody(story: MeteredStory, campaign: str) -> dict[str, str]:
    """Return the body of a flow over a segment, the form of every large audience."""
    everybody = {"name": "Everybody", "filter": {"field": "email", "op": "exists"}}
    segment = story.expect(201, story.api.post("/v1/segments", everybody))["uid"]
    return {"campaignUid": campaign, "channelUid": story.channel, "segmentUid": segment}


def _watching(story: MeteredStory) -> AbstractContextManager[Meter]:
    return story.meter.watch(*(story.world.aws.client(service) for service in WATCHED))


def _row_bytes(story: MeteredStory) -> Iterator[int]:
    """Yield the sizes of all executions, read by a client that is not metered."""
    client = story.world.aws.unheard_client("dynamodb")
    for page in client.get_paginator("scan").paginate(TableName=TABLE):
        yield from (item_bytes(item) for item in page["Items"])


def _check(story: MeteredStory, flow: str, messages: int) -> None:
    shown = story.flow(flow)
    assert shown["status"] == "completed", shown
    assert len(story.provider.calls) == messages, f"{len(story.provider.calls)} messages instead of {messages}"
