"""Test the events of messages, executions and consent: sent once, after crashes too, and only if subscribed."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.errors import RetryLater
from chalicelib.model.message import Accepted, OutgoingMessage, PermanentFailure, SendResult
from chalicelib.model.webhook import ALL_EVENTS, expand_event_names
from chalicelib.wiring import use_ports
from tests.integration.harness import Story, story
from tests.integration.notifications.webhook_helpers import Receiver, make, receiver

__all__ = ["receiver", "story"]


def _refuse_first(message: OutgoingMessage) -> SendResult:
    return PermanentFailure("mailbox_closed") if message.to == "c0@example.com" else Accepted(str(message.uid))


def _data_of(receiver: Receiver, name: str) -> list[Any]:
    return [event["data"] for event in receiver.events if event["type"] == name]


def test_message_outcomes_and_the_end_of_executions_are_sent(story: Story, receiver: Receiver) -> None:
    make(story, "execution.*", "message.*", "message.sent")
    story.set_up(contacts=3)
    story.provider.answer = _refuse_first
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=10))
    assert sorted(receiver.names) == sorted(
        ["message.sent"] * 2 + ["message.failed"] + ["execution.completed"] * 2 + ["execution.failed"]
    )
    (failed,) = _data_of(receiver, "message.failed")
    assert failed["contactUid"] == story.contacts[0]
    assert (failed["properties"]["flowUid"], failed["properties"]["reason"]) == (flow, "mailbox_closed")
    assert failed["properties"]["messageUid"] in story.provider.times_called()
    (ended,) = _data_of(receiver, "execution.failed")
    assert (ended["contactUid"], ended["properties"]["reason"]) == (story.contacts[0], "mailbox_closed")


def test_message_sent_is_not_part_of_a_group() -> None:
    assert "message.sent" not in expand_event_names(["message.*"])
    assert expand_event_names(["message.sent"]) == {"message.sent"}
    assert expand_event_names(["message.*", "message.sent"]) > {"message.sent", "message.failed"}
    groups = {f"{name.partition('.')[0]}.*" for name in ALL_EVENTS}
    assert {"message.*", "execution.*", "flow.*", "campaign.*", "contact.*", "consent.*"} < groups
    assert {"balance.low", "channel.circuit_opened"} < ALL_EVENTS


def test_events_that_could_not_be_stored_are_sent_after_redelivery(story: Story, receiver: Receiver) -> None:
    make(story, "execution.completed", "message.sent")
    story.set_up(contacts=4)
    ports = story.world.ports

    class UnavailableCatalog:
        """A catalog that cannot store deliveries."""

        def __getattr__(self, name: str) -> Any:
            return getattr(ports.catalog, name)

        def add(self, *_: Any, **__: Any) -> None:
            raise RetryLater("DynamoDB is away")

    flow = story.start(story.short_campaign())
    story.world.drain("JobQueue")
    use_ports(replace(ports, catalog=UnavailableCatalog()))  # type: ignore[arg-type]  # it replaces one method
    story.world.deliver_all("StepQueue")
    use_ports(ports)
    assert (len(story.provider.calls), receiver.names) == (4, [])
    story.advance(timedelta(minutes=10), timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"
    assert sorted(receiver.names) == ["execution.completed"] * 4 + ["message.sent"] * 4
    assert set(story.provider.times_called().values()) == {1}


def test_without_webhooks_the_reads_do_not_grow_with_the_contacts(story: Story) -> None:
    story.set_up(contacts=60)
    asked: list[str] = []
    client = story.world.aws.client("dynamodb")

    def note(params: Any, **_: Any) -> None:
        body = params["body"] if isinstance(params["body"], str) else params["body"].decode()
        asked.extend(["x"] * ("WEBHOOKS" in json.loads(body).__str__()))

    found = []
    client.meta.events.register("before-call.dynamodb", note)
    for count in (10, 60):
        asked.clear()
        story.start(story.short_campaign(), story.contacts[:count])
        story.advance(timedelta(seconds=10))
        found.append(len(asked))
    client.meta.events.unregister("before-call.dynamodb", note)
    assert found[0] == found[1]


def test_consent_changes_are_sent(story: Story, receiver: Receiver) -> None:
    make(story, "consent.*")
    story.set_up(contacts=1)
    path = f"/v1/contacts/{story.contacts[0]}/consent"
    for state in ("GRANTED", "REVOKED", "REVOKED"):
        body = {"channelType": "console", "messageType": "NEWSLETTER", "state": state}
        story.expect(200, story.api.post(path, body))
        story.run()
    assert receiver.names == ["consent.granted", "consent.revoked"]
    assert receiver.events[0]["data"]["properties"]["kinds"] == [
        {"channelType": "console", "messageType": "NEWSLETTER"},
    ]


def test_a_consent_event_starts_a_campaign_and_cannot_be_forged(story: Story) -> None:
    story.set_up(contacts=1)
    trigger = {"type": "event", "event": "consent.granted"}
    campaign = story.campaign(story.send("one", channelUid=story.channel), trigger=trigger)
    story.expect(202, story.api.post(f"/v1/campaigns/{campaign}/launch", {}))
    pretended = {"id": "1", "name": "consent.granted", "contactUid": story.contacts[0]}
    assert "error" in str(story.api.post("/v1/events", {"events": [pretended]}).json).lower()
    body = {"channelType": "console", "messageType": "MESSAGE", "state": "GRANTED"}
    story.expect(200, story.api.post(f"/v1/contacts/{story.contacts[0]}/consent", body))
    story.advance(timedelta(seconds=10))
    assert len(story.provider.calls) == 1
