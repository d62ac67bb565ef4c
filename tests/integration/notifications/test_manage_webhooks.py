"""Test creating, changing and deleting webhooks, and their secrets."""

from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from chalicelib.model.webhook import MAX_WEBHOOKS
from tests.integration.conftest import Api
from tests.integration.harness import Story, story
from tests.integration.notifications.webhook_helpers import URL, Receiver, deliveries, later, make, receiver, verify

__all__ = ["receiver", "story"]


def test_the_old_secret_also_signs_for_a_day(story: Story, receiver: Receiver) -> None:
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


def test_pending_deliveries_of_a_deleted_webhook_are_not_sent(story: Story, receiver: Receiver) -> None:
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
def test_an_invalid_webhook_is_refused_with_its_field(api: Api, fields: dict[str, Any], field: str) -> None:
    reply = api.post("/v1/webhooks", {"url": URL, "events": ["flow.*"], **fields})
    assert (reply.status, [detail["field"] for detail in reply.json["details"]]) == (422, [field])


def test_a_workspace_has_at_most_twenty_webhooks(api: Api) -> None:
    for number in range(MAX_WEBHOOKS):
        assert api.post("/v1/webhooks", {"url": f"{URL}/{number}", "events": ["flow.*"]}).status == 201
    assert api.post("/v1/webhooks", {"url": URL, "events": ["flow.*"]}).status == 409
    assert len(api.all_pages("/v1/webhooks")) == MAX_WEBHOOKS


def test_another_workspace_sees_and_changes_nothing(story: Story, receiver: Receiver) -> None:
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
