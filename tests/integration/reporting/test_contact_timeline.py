"""Test lists of contacts with filters, dates in attributes, and the timeline of a contact."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.model.event import Event
from chalicelib.model.execution import DeliveryReceipt, Engagement, ExecutionKey
from chalicelib.model.ids import ContactUid, FlowUid, NodeId
from tests.integration.conftest import Api, World
from tests.integration.harness import Story, story

__all__ = ["story"]


# ---- lists ----


def names(contacts: list[dict[str, Any]]) -> set[str]:
    return {str(contact["firstName"]) for contact in contacts}


@pytest.fixture
def people(api: Api) -> Api:
    api.post("/v1/contacts", {"firstName": "Ada", "email": "ada@example.com", "tags": ["vip"], "externalId": "A 1"})
    api.post("/v1/contacts", {"firstName": "Ben", "phone": "+4915123456789", "tags": ["vip"], "status": "BLOCKED"})
    api.post("/v1/contacts", {"firstName": "Cat", "lastName": "Adams", "email": "cat@example.com"})
    return api


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email=ADA@example.com", {"Ada"}), ("phone=0151%2023456789", {"Ben"}), ("externalId=A%201", {"Ada"}),
        ("email=nobody@example.com", set()), ("email=nonsense", set()),
        ("email=ada@example.com&phone=%2B4915123456789", set()),
        ("email=ada@example.com&externalId=A%201", {"Ada"}), ("email=ada@example.com&tag=other", set()),
        ("tag=vip", {"Ada", "Ben"}), ("tag=vip&status=BLOCKED", {"Ben"}), ("status=ACTIVE", {"Ada", "Cat"}),
        ("name=ada", {"Ada", "Cat"}), ("name=xyz", set()), ("", {"Ada", "Ben", "Cat"}),
    ],
)  # fmt: skip
def test_filters_find_matching_contacts(people: Api, query: str, found: set[str]) -> None:
    assert names(people.all_pages(f"/v1/contacts?{query}")) == found
    assert names(people.all_pages(f"/v1/contacts?{query}&limit=1".replace("?&", "?"))) == found


@pytest.mark.parametrize("query", ["tag=", "status=SLEEPING", "name=", "shoe=1", "limit=0", "tag=a&tag=b", "cursor=x"])
def test_an_invalid_filter_is_refused(people: Api, query: str) -> None:
    assert people.get(f"/v1/contacts?{query}").status == 422


def test_a_small_list_does_not_read_every_shard(people: Api, world: World) -> None:
    calls: list[str] = []
    client = world.aws.client("dynamodb")
    client.meta.events.register("before-call.dynamodb.Query", lambda **_: calls.append("query"), unique_id="count")
    started = datetime.now(UTC)
    people.get("/v1/contacts")
    spent = datetime.now(UTC) - started
    client.meta.events.unregister("before-call.dynamodb.Query", unique_id="count")
    assert len(calls) == 64
    assert spent < timedelta(seconds=5)


def test_dates_among_attributes_stay_dates_and_other_text_stays_text(api: Api, world: World) -> None:
    written = {"born": "1990-02-28", "never": "1990-02-30", "code": "1990-02-28x", "at": "1990-02-28T10:00:00Z"}
    uid = api.post("/v1/contacts", {"attributes": written}).data["uid"]
    assert api.get(f"/v1/contacts/{uid}").data["attributes"] == written
    stored = world.ports.contacts.find_many(api.workspace, [ContactUid(uid)], strong=True)[ContactUid(uid)]
    assert {name: type(value).__name__ for name, value in stored.attributes.items()} == {
        "born": "date", "never": "str", "code": "str", "at": "str",
    }  # fmt: skip


# ---- timeline ----


def contact_with_history(story: Story) -> str:
    """Create a contact with one timeline entry of each kind, one minute apart."""
    story.set_up(1)
    (ann,) = story.contacts
    mark = {"id": "mark", "type": "TAG", "add": ["engaged"]}
    wait = {"id": "pause", "type": "WAIT", "for": "PT1M"}
    flow = story.start(story.campaign(story.send("hello"), wait, mark))
    story.advance(timedelta(seconds=90), timedelta(seconds=5))
    receipt = DeliveryReceipt(Engagement.OPENED, story.now)
    key = ExecutionKey(story.api.workspace, FlowUid(flow), ContactUid(ann))
    story.world.ports.executions.put_receipt(key, 1, NodeId("hello"), receipt)
    story.time_travel.shift(timedelta(minutes=1))
    story.api.post(f"/v1/contacts/{ann}/consent", {"channelType": "console", "state": "GRANTED", "source": "shop"})
    story.time_travel.shift(timedelta(minutes=1))
    report(story, 1)
    return ann


def report(story: Story, count: int, **fields: Any) -> None:
    events = [
        Event.model_validate(
            {"id": f"o{n}", "name": "order.placed", "contact_uid": story.contacts[0], "properties": {"n": n},
             "occurred_at": story.now, **fields}
        )
        for n in range(count)
    ]  # fmt: skip
    story.world.ports.events.add_many(story.api.workspace, events)


def test_a_timeline_lists_everything_newest_first(story: Story) -> None:
    ann = contact_with_history(story)
    found = story.api.get(f"/v1/contacts/{ann}/timeline").json["data"]
    assert [each["kind"] for each in found] == ["event", "consent", "engagement", "tags", "message", "enrolment"]
    assert (found[0]["name"], found[0]["properties"]) == ("order.placed", {"n": 0})
    assert (found[1]["state"], found[1]["source"]) == ("GRANTED", "shop")
    assert found[2]["engagement"] == "opened"
    assert (found[3]["added"], found[3]["nodeId"]) == (["engaged"], "mark")
    assert (found[4]["outcome"], found[4]["nodeId"]) == ("sent", "hello")
    assert found[5]["flowUid"] == found[4]["flowUid"]
    assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_of_a_timeline_list_every_entry_once(story: Story, limit: int) -> None:
    ann = contact_with_history(story)
    report(story, 12)
    for minute in range(5):
        report(story, 1, id=f"x{minute}", occurred_at=story.now - timedelta(seconds=30 * minute))
    url = f"/v1/contacts/{ann}/timeline"
    whole = story.api.get(f"{url}?limit=100").json["data"]
    assert len(whole) == 22
    assert story.api.all_pages(f"{url}?limit={limit}") == whole


def test_an_unknown_contact_is_not_found_and_an_invalid_cursor_is_refused(story: Story) -> None:
    assert story.api.get("/v1/contacts/nobody/timeline").status == 404
    ann = contact_with_history(story)
    assert story.api.get(f"/v1/contacts/{ann}/timeline?cursor=abc").status == 422
