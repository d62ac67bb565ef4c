"""The Python client: typed, over all pages, and never twice what was meant once."""

import pytest

from chalicelib.core.flows.create_flow import NewFlow
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.contact import ContactFields
from infra.client import Client, Refused, Unreachable
from infra.client.calls import TRIES, Calls, Reply
from tests.cli.transports import ApiWire, FaultyWire
from tests.integration.conftest import Api, World, api, embedded_aws, world
from tests.integration.harness import Story, story

__all__ = ["World", "api", "embedded_aws", "story", "world"]
CHANNEL = ChannelFields(name="Console", type="console")
LOST = ConnectionResetError("the answer was lost")


def client_of(api: Api) -> Client:
    return Client("http://test", api.key or "", ApiWire(api))


def test_a_flow_is_driven_from_nothing_to_its_end(story: Story) -> None:
    story.set_up(2)
    client = client_of(story.api)
    wish = NewFlow(channel_uid=story.channel, campaign_uid=story.short_campaign(), contact_uids=tuple(story.contacts))
    flow = client.flows.create(wish)
    story.run()
    done = client.flows.get(flow.uid)
    assert (done.stats.total, done.contact_count) == (2, 2)
    assert {each.contact_uid for each in client.flows.executions(flow.uid)} == set(story.contacts)
    assert client.flows.inspect(flow.uid, story.contacts[0]).flow_uid == flow.uid


def test_a_list_is_read_to_its_end_page_by_page(api: Api) -> None:
    client = client_of(api)
    uids = {client.contacts.save(ContactFields(external_id=str(number))).uid for number in range(7)}
    found = client.calls.many("/v1/contacts", type(client.contacts.get(next(iter(uids)))), {"limit": 2})
    assert {contact.uid for contact in found} == uids


def test_a_lost_answer_makes_nothing_twice(api: Api) -> None:
    wire = FaultyWire(ApiWire(api), lambda times: LOST if times < 3 else None)
    made = Calls(wire, api.key or "", sleep=lambda _: None).one("POST /v1/channels", Channel, CHANNEL)
    assert len(wire.sent) == 3
    assert len({headers["Idempotency-Key"] for _, _, headers in wire.sent}) == 1
    assert [channel.uid for channel in client_of(api).channels.list()] == [made.uid]


def test_what_says_when_to_come_again_is_believed(api: Api) -> None:
    answers = {1: Reply(429, {"retry-after": "7"}, b"{}"), 2: Reply(503, {}, b"{}")}
    pauses: list[float] = []
    wire = FaultyWire(ApiWire(api), answers.get)
    Calls(wire, api.key or "", pauses.append).plain("GET /v1/workspace")
    assert pauses[0] == 7
    assert 0.5 <= pauses[1] <= 1.5


def test_it_gives_up_in_the_end(api: Api) -> None:
    wire = FaultyWire(ApiWire(api), lambda _: LOST)
    with pytest.raises(Unreachable):
        Calls(wire, api.key or "", lambda _: None).plain("GET /v1/workspace")
    assert len(wire.sent) == TRIES


def test_a_refusal_is_raised_at_once_with_every_problem(api: Api) -> None:
    wire = FaultyWire(ApiWire(api), lambda _: None)
    with pytest.raises(Refused) as refused:
        Calls(wire, api.key or "", lambda _: None).plain("POST /v1/channels", {"name": "", "type": 3})
    assert (refused.value.status, refused.value.code) == (422, "validation_error")
    assert {each["field"] for each in refused.value.details} == {"name", "type"}
    assert refused.value.request_id
    assert len(wire.sent) == 1


def test_a_newer_api_may_show_more(api: Api) -> None:
    body = b'{"data": {"uid": "x", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",'
    body += b'"name": "n", "type": "console", "brandNew": 1}}'
    wire = FaultyWire(ApiWire(api), lambda _: Reply(200, {}, body))
    assert Calls(wire, "k").one("GET /v1/channels/x", Channel).name == "n"
