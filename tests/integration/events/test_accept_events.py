"""What `POST /v1/events` takes, what it refuses, and what comes over the event bus."""

import json
from typing import Any

import pytest

from tests.integration.harness import Story, story

__all__ = ["story"]


@pytest.fixture(autouse=True)
def settled(story: Story) -> None:
    story.set_up(contacts=1)


def order(story: Story, **fields: Any) -> dict[str, Any]:
    return {"name": "order.placed", "contactUid": story.contacts[0], **fields}


def post(story: Story, *events: dict[str, Any]) -> Any:
    return story.api.post("/v1/events", {"events": list(events)})


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"name": "has spaces"}, "events[0].name"),
        ({"properties": {"x": "y" * 5_000}}, "events[0].properties"),
        ({"id": ""}, "events[0].id"),
        ({"email": "a@example.com"}, "events[0]"),
        ({"occurredAt": "2026-03-02"}, "events[0].occurredAt"),
    ],
)
def test_an_event_that_cannot_be_is_refused(story: Story, event: dict[str, Any], field: str) -> None:
    answer = post(story, order(story, **event))
    assert (answer.status, answer.json["details"][0]["field"]) == (422, field)


def test_a_hundred_events_are_the_most_and_none_too_few(story: Story) -> None:
    assert post(story, *[order(story)] * 100).data["accepted"] == 100
    assert post(story, *[order(story)] * 101).status == 422
    assert post(story).status == 422


@pytest.mark.parametrize(("at", "words"), [("2026-03-02T10:00:00Z", "future"), ("2024-03-02T10:00:00Z", "400 days")])
def test_an_event_of_another_time_is_refused_by_itself(story: Story, at: str, words: str) -> None:
    answer = post(story, order(story, occurredAt=at), order(story)).data
    assert answer["accepted"] == 1
    assert words in answer["results"][0]["message"]


def test_an_event_on_the_bus_is_like_one_of_the_api(story: Story) -> None:
    campaign = story.campaign(
        story.send("hello", channelUid=story.channel), trigger={"type": "event", "event": "order.placed"}
    )
    story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))
    events, entry = story.world.aws.client("events"), {"Source": "shop", "EventBusName": "carillon-EventBus"}
    detail = {"workspaceUid": story.api.workspace, "name": "order.placed", "email": "c0@example.com"}
    put = {**entry, "DetailType": "carillon.event", "Detail": json.dumps(detail)}
    events.put_events(Entries=[put, {**put, "DetailType": "other"}])
    story.run()
    assert story.provider.recipients() == ["c0@example.com"]


def test_what_cannot_be_read_off_the_bus_is_kept_for_a_person_and_holds_nobody_up(story: Story) -> None:
    queue = story.world.queues["EventQueue"]
    sqs = story.world.aws.client("sqs")
    for body in ("none", '{"v": 9}', json.dumps({"id": "1", "time": "2026-03-02T09:00:00Z", "detail": {"name": "x"}})):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert post(story, order(story)).data["accepted"] == 1
    story.world.deliver_all("EventQueue")
    left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert left["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "3"
