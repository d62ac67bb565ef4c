"""Callbacks of Twilio and Meta over the real route and the real channel types: signed, forged, replayed, oversized."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES
from chalicelib.providers.http import Reply, Request
from chalicelib.providers.signatures import sign_meta, sign_twilio
from chalicelib.providers.sms import Sms
from chalicelib.providers.sms_twilio import TwilioSms
from chalicelib.providers.whatsapp import WhatsApp
from chalicelib.providers.whatsapp_meta import MetaWhatsApp
from chalicelib.wiring import use_ports
from tests.integration.harness import Story, story

__all__ = ["story"]
PUBLIC = "https://mail.example.com/prod"
PHONE = "+12065550199"
SECRETS = {"twilio": {"authToken": "12345"}, "meta": {"accessToken": "t", "appSecret": "s3cret", "verifyToken": "v"}}
ACCOUNT = "AC" + "0" * 32


class Taking:
    """A provider that takes everything."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def post(self, request: Request, address: str | None = None) -> Reply:
        del address
        self.requests.append(request)
        return Reply(201 if "Accounts" in request.url else 200, {}, b'{"sid": "SM1", "messages": [{"id": "wamid.1"}]}')


@dataclass(frozen=True)
class Provider:
    """How one provider reports that a message was read: the callback's query, body and headers."""

    kind: str
    settings: dict[str, Any]
    build: Callable[[str, str], tuple[str, bytes, dict[str, str]]]


def _by_twilio(message: str, hook: str) -> tuple[str, bytes, dict[str, str]]:
    query = f"?message={message}"
    form = {"MessageSid": "SM1", "MessageStatus": "read", "To": PHONE}
    signature = sign_twilio("12345", f"{PUBLIC}/v1/hooks/{hook}{query}", form.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return query, urlencode(form).encode(), headers


def _by_meta(message: str, _: str) -> tuple[str, bytes, dict[str, str]]:
    status = {"id": "wamid.1", "status": "read", "timestamp": "1772442000", "recipient_id": "12065550199"}
    value = {"messaging_product": "whatsapp", "statuses": [{**status, "biz_opaque_callback_data": message}]}
    change = {"field": "messages", "value": value}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()
    return "", body, {"Content-Type": "application/json", "X-Hub-Signature-256": sign_meta("s3cret", body)}


PROVIDERS = [
    Provider(
        "sms",
        {"provider": "twilio", "accountSid": ACCOUNT, "secretName": "twilio", "sender": "+15005550006"},
        _by_twilio,
    ),
    Provider("whatsapp", {"provider": "meta", "phoneNumberId": "106540352242922", "secretName": "meta"}, _by_meta),
]


@dataclass
class Scene:
    """A flow that has sent its only message, and the URL for the reports of its provider."""

    story: Story
    provider: Provider
    hook: str
    flow: str
    message: str

    def callback(self) -> tuple[str, bytes, dict[str, str]]:
        return self.provider.build(self.message, self.hook)

    def post(self, query: str, body: bytes, headers: dict[str, str], hook: str = "") -> int:
        url = f"/v1/hooks/{hook or self.hook}{query}"
        return int(self.story.api.post(url, body, headers={**headers, "Authorization": ""}).status)

    def opened(self) -> int:
        self.story.run()
        return int(self.story.flow(self.flow)["stats"]["opened"])


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.kind)
def scene(story: Story, request: pytest.FixtureRequest) -> Scene:
    provider: Provider = request.param
    http: Any = Taking()

    def secret(_: str, name: str) -> str:
        return json.dumps(SECRETS[name])

    kinds: dict[str, Any] = {
        "sms": Sms({"twilio": TwilioSms(http, secret, "https://api.twilio.com", PUBLIC)}),
        "whatsapp": WhatsApp({"meta": MetaWhatsApp(http, secret, "https://graph.facebook.com")}),
    }
    story.world.ports = replace(story.world.ports, channel_types=kinds, public_url=PUBLIC)
    use_ports(story.world.ports)
    channel = {"name": "C", "type": provider.kind, "settings": provider.settings, "reportsReceipts": True}
    story.channel = story.expect(201, story.api.post("/v1/channels", channel))["uid"]
    template = {"name": "T", "channelType": provider.kind, "content": {"text": "Hello"}}
    story.template = story.expect(201, story.api.post("/v1/templates", template))["uid"]
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/publish"))
    story.contacts = [story.expect(201, story.api.post("/v1/contacts", {"phone": PHONE}))["uid"]]
    flow = story.start(story.short_campaign())
    story.advance(timedelta(seconds=3))
    (message,) = story.api.get(f"/v1/messages?flowUid={flow}").data
    assert (message["status"], len(http.requests)) == ("sent", 1)
    return Scene(story, provider, f"{story.api.workspace}.{story.channel}", flow, message["uid"])


def test_a_signed_callback_counts_and_a_replayed_one_changes_nothing(scene: Scene) -> None:
    """Neither provider signs a time, so a replay cannot be told from a repetition: it must be harmless, also later."""
    query, body, headers = scene.callback()
    assert [scene.post(query, body, headers) for _ in range(3)] == [200] * 3
    assert scene.opened() == 1
    before = scene.story.flow(scene.flow)["stats"]
    scene.story.advance(timedelta(days=2), timedelta(hours=6))
    assert scene.post(query, body, headers) == 200
    assert scene.opened() == 1
    after = scene.story.flow(scene.flow)["stats"]
    assert {name: after[name] for name in ("sent", "delivered", "opened")} == {
        name: before[name] for name in ("sent", "delivered", "opened")
    }
    timeline = scene.story.api.all_pages(f"/v1/contacts/{scene.story.contacts[0]}/timeline")
    assert [each["name"] for each in timeline if each["kind"] == "event"] == ["message.opened"]


def test_a_callback_that_was_touched_is_refused(scene: Scene) -> None:
    query, body, headers = scene.callback()
    signature = next(name for name in headers if name.startswith("X-"))
    other = scene.story.expect(
        201,
        scene.story.api.post(
            "/v1/channels", {"name": "D", "type": scene.provider.kind, "settings": scene.provider.settings}
        ),
    )["uid"]
    unsigned = {name: value for name, value in headers.items() if name != signature}
    assert scene.post(query, body, unsigned) == 403
    assert scene.post(query, body, {**headers, signature: headers[signature][:-2] + "xx"}) == 403
    assert scene.post(query, body.replace(b"read", b"sent"), headers) == 403
    assert scene.post(query, body + b" ", headers) == 403
    if query:
        assert scene.post(query.replace(".", ".9", 1), body, headers) == 403
        assert scene.post(query, body, headers, hook=f"{scene.story.api.workspace}.{other}") == 403
    assert scene.opened() == 0


def test_a_callback_that_is_too_large_is_refused_before_it_is_looked_at(scene: Scene) -> None:
    query, body, headers = scene.callback()
    assert scene.post(query, body + b" " * MAX_CALLBACK_BYTES, headers) == 413
    assert scene.opened() == 0
