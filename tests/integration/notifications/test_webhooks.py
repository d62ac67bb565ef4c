"""Webhooks out: signed, tried again, replayed, switched off; what they are told, and what becomes of it in a crash."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.core.notifications.deliver_webhooks import call_webhook, record_attempt
from chalicelib.errors import RetryLater
from chalicelib.model.webhook import MAX_WEBHOOKS, OutgoingCall, WebhookDelivery
from chalicelib.providers.http import Reply, Request
from chalicelib.providers.webhook_client import SignedWebhookClient
from chalicelib.wiring import use_ports
from tests.integration.conftest import Api
from tests.integration.harness import Story, story

__all__ = ["story"]
URL = "https://hooks.example.com/in"
#: At 0, 1 min, 5 min, 1 h and 24 h, with the minute in which the clock looks.
WAITS = (timedelta(minutes=2), timedelta(minutes=6), timedelta(minutes=62), timedelta(hours=24, minutes=2))


@dataclass
class Receiver:
    """A server of the customer's: answers as it is told, and remembers what it was sent."""

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
        server,  # type: ignore[arg-type]  # in the place of the network
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


def test_a_test_event_arrives_signed_and_its_secret_is_shown_once(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    assert story.expect(202, story.api.post(f"/v1/webhooks/{hook['uid']}/test"))["event"] == "webhook.test"
    story.run()
    (request,) = receiver.requests
    assert verify(hook["secret"], request)["type"] == "webhook.test"
    assert hook["secret"] not in story.api.get("/v1/webhooks").text
    with pytest.raises(WebhookVerificationError):
        verify("whsec_" + "A" * 44, request)


def test_a_receiver_that_fails_four_times_gets_the_event_the_fifth_time(story: Story, receiver: Receiver) -> None:
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


def test_after_the_fifth_failure_it_has_failed_and_can_be_replayed(story: Story, receiver: Receiver) -> None:
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


def test_410_switches_it_off_until_it_is_switched_on_again(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    receiver.answers = lambda _: 410
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    (shown,) = story.api.get("/v1/webhooks").json["data"]
    assert (shown["active"], shown["disabledReason"]) == (False, "gone")
    assert deliveries(story, hook)[0]["status"] == "failed"
    again = story.expect(200, story.api.patch(f"/v1/webhooks/{hook['uid']}", {"active": True}))
    assert (again["active"], again["disabledReason"]) == (True, None)


def test_a_flow_is_told_from_beginning_to_end(story: Story, receiver: Receiver) -> None:
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


def test_only_what_was_asked_for_is_told(story: Story, receiver: Receiver) -> None:
    make(story, "flow.paused")
    story.set_up()
    flow = story.start(story.short_campaign())
    story.set_status(flow, "paused")
    story.run()
    assert receiver.names == ["flow.paused"]
    assert receiver.events[0]["data"]["pauseReason"] == "operator"


def test_a_change_of_a_contact_is_told_without_its_values(story: Story, receiver: Receiver) -> None:
    make(story, "contact.*")
    uid = story.expect(201, story.api.post("/v1/contacts", {"email": "ada@example.com", "tags": ["vip"]}))["uid"]
    story.expect(200, story.api.patch(f"/v1/contacts/{uid}", {"firstName": "Ada"}))
    story.run()
    assert sorted(receiver.names) == ["contact.created", "contact.tagged", "contact.updated"]
    assert {event["data"]["contactUid"] for event in receiver.events} == {uid}
    assert b"ada@example.com" not in b"".join(request.body for request in receiver.requests)


def test_news_of_a_flow_survive_a_queue_that_was_away(story: Story, receiver: Receiver) -> None:
    """They are stored with the move itself."""
    make(story, "flow.queued")
    story.set_up()

    def be_away(*_: object) -> None:
        raise RetryLater("SQS is away")

    catalog: Any = story.world.ports.catalog
    schedule, catalog._schedule = catalog._schedule, be_away
    story.start(story.short_campaign())
    catalog._schedule = schedule
    story.run()
    assert receiver.requests == []
    later(story, timedelta(minutes=2))
    assert receiver.names == ["flow.queued"]


def test_a_call_whose_result_was_lost_is_made_again_under_the_same_id(story: Story, receiver: Receiver) -> None:
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


def test_a_result_that_comes_twice_counts_once(story: Story, receiver: Receiver) -> None:
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


def test_two_secrets_sign_for_a_day_while_one_replaces_the_other(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    new = story.expect(200, story.api.post(f"/v1/webhooks/{hook['uid']}/secret"))["secret"]
    assert new != hook["secret"]
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    for secret in (new, hook["secret"]):
        verify(secret, receiver.requests[0])
    later(story, timedelta(hours=24))
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    verify(new, receiver.requests[1])
    with pytest.raises(WebhookVerificationError):
        verify(hook["secret"], receiver.requests[1])


def test_a_deleted_webhook_gets_nothing_that_was_on_its_way(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.expect(200, story.api.delete(f"/v1/webhooks/{hook['uid']}"))
    story.run()
    assert receiver.requests == []
    assert story.api.get(f"/v1/webhooks/{hook['uid']}/deliveries").status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://hooks.example.com"}, "url"),
        ({"url": "https://127.0.0.1"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://hooks.example.com:8443"}, "url"),
        ({"url": "https://user@hooks.example.com"}, "url"),
        ({"url": "https://localhost"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["order.placed"]}, "events[0]"),
        ({"events": ["*"]}, "events[0]"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_with_its_field(api: Api, fields: dict[str, Any], field: str) -> None:
    reply = api.post("/v1/webhooks", {"url": URL, "events": ["flow.*"], **fields})
    assert (reply.status, [detail["field"] for detail in reply.json["details"]]) == (422, [field])


def test_a_host_that_leads_inside_is_not_called(story: Story, receiver: Receiver) -> None:
    caller: Any = story.world.ports.webhook_caller
    caller._resolve = lambda *_: ("93.184.215.14", "10.0.0.1")
    hook = make(story, "flow.*")
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    story.run()
    assert receiver.requests == []
    assert deliveries(story, hook)[0]["attempts"][0]["fault"] == "url_not_allowed"


def test_there_are_at_most_twenty(api: Api) -> None:
    for number in range(MAX_WEBHOOKS):
        assert api.post("/v1/webhooks", {"url": f"{URL}/{number}", "events": ["flow.*"]}).status == 201
    assert api.post("/v1/webhooks", {"url": URL, "events": ["flow.*"]}).status == 409
    assert len(api.all_pages("/v1/webhooks")) == MAX_WEBHOOKS


def test_a_stranger_sees_and_moves_nothing(story: Story, receiver: Receiver) -> None:
    hook = make(story, "flow.*")
    story.api.post(f"/v1/webhooks/{hook['uid']}/test")
    uid = deliveries(story, hook)[0]["uid"]
    stranger = story.world.new_caller()
    base = f"/v1/webhooks/{hook['uid']}"
    assert stranger.get(f"{base}/deliveries").status == 404
    for url in (f"{base}/test", f"{base}/secret", f"{base}/deliveries/{uid}/replay"):
        assert stranger.post(url).status == 404
    assert stranger.patch(base, {"active": False}).status == 404
    assert stranger.delete(base).status == 404
