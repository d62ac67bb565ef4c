"""Test deliveries: signatures, retries, replay, disabling, and recovery after a crash."""

from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.core.notifications.deliver_webhooks import call_webhook, record_attempt
from chalicelib.errors import RetryLater
from chalicelib.model.webhook import OutgoingCall, WebhookDelivery
from tests.integration.harness import Story, story
from tests.integration.notifications.webhook_helpers import (
    URL,
    WAITS,
    Receiver,
    deliveries,
    later,
    make,
    receiver,
    verify,
)

__all__ = ["receiver", "story"]


def test_a_test_event_arrives_signed_and_its_secret_is_shown_once(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    assert story.expect(202, story.api.post(f"/v1/webhooks/{hook['uid']}/test"))["event"] == "webhook.test"
    story.run()
    (request,) = receiver.requests
    assert verify(hook["secret"], request)["type"] == "webhook.test"
    assert hook["secret"] not in story.api.get("/v1/webhooks").text
    with pytest.raises(WebhookVerificationError):
        verify("whsec_" + "A" * 44, request)


def test_a_delivery_succeeds_at_the_fifth_attempt(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    receiver.answers = lambda times: 503 if times < 5 else 204
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    for count, wait in enumerate(WAITS, start=1):
        assert len(receiver.requests) == count
        later(story, wait)
    assert len(receiver.requests) == 5
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len({request.body for request in receiver.requests}) == 1
    assert verify(hook["secret"], receiver.requests[-1])["type"] == "webhook.test"
    (delivery,) = deliveries(story, hook)
    assert delivery["status"] == "delivered"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 503, 503, 503, 204]
    assert delivery["nextAttemptAt"] is None


def test_a_delivery_fails_after_five_attempts_and_can_be_replayed(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    receiver.answers = lambda _: 500
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    url = f"/v1/webhooks/{hook['uid']}/deliveries/{deliveries(story, hook)[0]['uid']}/replay"
    assert story.api.post(url).json["current"] == "pending"
    for wait in WAITS:
        later(story, wait)
    later(story, timedelta(days=3))
    assert len(receiver.requests) == 5
    assert deliveries(story, hook, "?status=failed")[0]["status"] == "failed"
    receiver.answers = lambda _: 200
    story.expect(202, story.api.post(url))
    story.run()
    assert len(receiver.requests) == 6
    assert receiver.requests[5].headers["webhook-id"] == receiver.requests[0].headers["webhook-id"]
    assert deliveries(story, hook)[0]["status"] == "delivered"


def test_status_410_disables_the_webhook_until_it_is_enabled_again(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    receiver.answers = lambda _: 410
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    (shown,) = story.api.get("/v1/webhooks").json["data"]
    assert (shown["active"], shown["disabledReason"]) == (False, "gone")
    assert deliveries(story, hook)[0]["status"] == "failed"
    again = story.expect(200, story.api.patch(f"/v1/webhooks/{hook['uid']}", {"active": True}))
    assert (again["active"], again["disabledReason"]) == (True, None)


def test_a_flow_sends_events_from_start_to_end(story: Story, receiver: Receiver) -> None:
    make(story, "flow.*", "campaign.*")
    story.set_up()
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"
    story.run()
    assert sorted(receiver.names) == sorted(
        ["flow.queued", "campaign.running", "flow.running", "flow.completed", "campaign.completed"]
    )
    ended = next(event for event in receiver.events if event["type"] == "flow.completed")
    assert ended["data"]["flowUid"] == flow
    assert (ended["data"]["previousStatus"], ended["data"]["status"]) == ("running", "completed")


def test_only_subscribed_events_are_sent(story: Story, receiver: Receiver) -> None:
    make(story, "flow.paused")
    story.set_up()
    flow = story.start(story.short_campaign())
    story.set_status(flow, "paused")
    story.run()
    assert receiver.names == ["flow.paused"]
    assert receiver.events[0]["data"]["pauseReason"] == "operator"


def test_a_contact_change_names_the_fields_but_no_values(story: Story, receiver: Receiver) -> None:
    make(story, "contact.*")
    uid = story.expect(201, story.api.post("/v1/contacts", {"email": "ada@example.com", "tags": ["vip"]}))["uid"]
    story.expect(200, story.api.patch(f"/v1/contacts/{uid}", {"firstName": "Ada"}))
    story.run()
    assert sorted(receiver.names) == ["contact.created", "contact.tagged", "contact.updated"]
    assert {event["data"]["contactUid"] for event in receiver.events} == {uid}
    assert b"ada@example.com" not in b"".join(request.body for request in receiver.requests)


def test_flow_events_survive_an_unavailable_queue(story: Story, receiver: Receiver) -> None:
    """The events are stored in the transaction that changes the flow."""
    make(story, "flow.queued")
    story.set_up()

    def fail(*_: object) -> None:
        raise RetryLater("SQS is away")

    catalog: Any = story.world.ports.catalog
    schedule, catalog._schedule = catalog._schedule, fail
    story.start(story.short_campaign())
    catalog._schedule = schedule
    story.run()
    assert receiver.requests == []
    later(story, timedelta(minutes=2))
    assert receiver.names == ["flow.queued"]


def test_a_call_without_a_result_is_repeated_with_the_same_id(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.world.deliver_all("WebhookDesk")
    story.world.deliver_all("WebhookQueue")
    story.world.aws.client("sqs").purge_queue(QueueUrl=story.world.queues["WebhookDesk"])
    assert len(receiver.requests) == 1
    later(story, timedelta(minutes=5))
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len(receiver.requests) == 2
    assert deliveries(story, hook)[0]["status"] == "delivered"


def test_a_repeated_result_counts_once(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    receiver.answers = lambda _: 500
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.world.deliver_all("WebhookDesk")
    ports, uid = story.world.ports, deliveries(story, hook)[0]["uid"]
    call = OutgoingCall(
        workspace=story.api.workspace, delivery=uid, attempt=1, url=URL, secrets=(hook["secret"],), body="{}"
    )
    result = call_webhook(ports, call)
    record_attempt(ports, result)
    record_attempt(ports, result)
    assert len(ports.catalog.get(story.api.workspace, WebhookDelivery, uid).attempts) == 1


def test_a_host_with_an_internal_address_is_not_called(story: Story, receiver: Receiver) -> None:
    caller: Any = story.world.ports.webhook_caller
    caller._resolve = lambda *_: ("93.184.215.14", "10.0.0.1")
    hook = make(story, "flow.*")
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    assert receiver.requests == []
    assert deliveries(story, hook)[0]["attempts"][0]["fault"] == "url_not_allowed"
