"""Webhooks: signed so that any library can check it, sent to no address but the one that was checked, deduplicated."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue, ValidationError
from standardwebhooks import Webhook as Verifier

from chalicelib.errors import RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    SendResult,
    Throttled,
    TransientFailure,
)
from chalicelib.providers.http import Http, Reply
from chalicelib.providers.webhook import WebhookChannel, WebhookContent, build_request, build_settings, read_answer
from tests.scripted_server import answer, open_wire, split
from tests.unit.providers.messages import NOW, KnownSecrets, make_message

#: Of the specification's own example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SETTINGS: dict[str, JsonValue] = {"url": "https://hooks.example.com/in?a=b", "secretName": "hook"}
MESSAGE = make_message("webhook", SETTINGS, {"text": 'Say "hi", Zoë', "orderId": "7"})


class Nobody:
    """A connection that must not be made."""

    def post(self, *_: object) -> Reply:
        raise AssertionError("nothing may be sent")


def build(secrets: KnownSecrets, *addresses: str, allowed: frozenset[str] = frozenset()) -> WebhookChannel:
    http = Http() if allowed else Nobody()
    return WebhookChannel(http, secrets, allowed, lambda _host, _port: addresses)  # type: ignore[arg-type]  Nobody is a Http


class TestRequest:
    def test_the_body_is_safe_json_and_always_the_same(self) -> None:
        made = build_request(MESSAGE, [SECRET], NOW)
        assert json.loads(made.body) == {
            "type": "message",
            "data": {
                "messageUid": "w.f.c.n.1",
                "flowUid": "f",
                "contactUid": "c",
                "nodeId": "n",
                "messageType": "MESSAGE",
                "content": {"text": 'Say "hi", Zoë', "orderId": "7"},
            },
        }
        again = build_request(MESSAGE, [SECRET], NOW + timedelta(minutes=5))
        assert (again.body, again.headers["webhook-id"]) == (made.body, "w.f.c.n.1")

    @pytest.mark.parametrize("known", [SECRET, OLD])
    def test_a_receiver_with_either_secret_can_check_it(self, known: str) -> None:
        made = build_request(MESSAGE, [SECRET, OLD], datetime.now(UTC))
        assert Verifier(known).verify(made.body, dict(made.headers)) == json.loads(made.body)

    def test_the_id_is_the_message_uid(self) -> None:
        assert build_request(MESSAGE, [SECRET], NOW).headers["webhook-id"] == str(MESSAGE.uid)


class TestSending:
    def test_it_arrives_and_is_accepted_under_its_uid(self) -> None:
        with open_wire(answer(204)) as wire:
            webhook = build(KnownSecrets(hook=SECRET), "127.0.0.1", allowed=frozenset({f"127.0.0.1:{wire.port}"}))
            sent = make_message("webhook", {"url": f"{wire.url}/in", "secretName": "hook"}, {"text": "x"})
            assert webhook.send(sent) == Accepted("w.f.c.n.1")
            first, headers, body = split(wire.received[0])
        assert first == "POST /in HTTP/1.1"
        assert Verifier(SECRET).verify(body, dict(headers))

    @pytest.mark.parametrize("addresses", [("127.0.0.1",), ("93.184.216.34", "10.0.0.1"), ("169.254.169.254",)])
    def test_a_name_that_leads_inside_is_the_channels_fault(self, addresses: tuple[str, ...]) -> None:
        assert build(KnownSecrets(hook=SECRET), *addresses).send(MESSAGE) == ChannelFailure("url_not_allowed")

    def test_a_url_that_is_no_longer_allowed_is_the_channels_fault(self) -> None:
        sent = make_message("webhook", {**SETTINGS, "url": "http://127.0.0.1:9000/"}, {"text": "x"})
        assert build(KnownSecrets(hook=SECRET), "127.0.0.1").send(sent) == ChannelFailure("url_not_allowed")

    def test_a_name_without_an_address_means_not_sent(self) -> None:
        assert build(KnownSecrets(hook=SECRET)).send(MESSAGE) == TransientFailure("no_address_of_host", unreached=True)

    @pytest.mark.parametrize(
        ("secret", "verdict"),
        [
            ("", ChannelFailure("secret_unreadable")),
            ("whsec_", ChannelFailure("secret_unreadable")),
            ("whsec_é", ChannelFailure("secret_unreadable")),
            ("x", ChannelFailure("secret_unreadable")),
        ],
    )
    def test_a_secret_that_is_none_means_not_sent(self, secret: str, verdict: SendResult) -> None:
        assert build(KnownSecrets(hook=secret), "93.184.216.34").send(MESSAGE) == verdict

    def test_without_its_secret_nothing_is_sent(self) -> None:
        class Away:
            """Secrets that cannot be read now."""

            def __call__(self, workspace: WorkspaceUid, name: str) -> str:
                raise RetryLater("away")

        assert build(KnownSecrets(), "93.184.216.34").send(MESSAGE) == ChannelFailure("secret_not_found")
        away = WebhookChannel(Http(), Away(), frozenset(), lambda _host, _port: ("93.184.216.34",))
        assert away.send(MESSAGE) == TransientFailure("secret_unavailable")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Accepted("w.f.c.n.1")),
        (202, Accepted("w.f.c.n.1")),
        (204, Accepted("w.f.c.n.1")),
        (301, ChannelFailure("status_301")),
        (307, ChannelFailure("status_307")),
        (400, PermanentFailure("status_400")),
        (422, PermanentFailure("status_422")),
        *((status, ChannelFailure(f"status_{status}")) for status in (401, 403, 404, 405, 410)),
        *((status, TransientFailure(f"status_{status}", timedelta(seconds=5))) for status in (408, 425)),
        (429, Throttled(timedelta(seconds=5))),
        (500, OutcomeUnknown("status_500")),
        (503, OutcomeUnknown("status_503")),
        (101, OutcomeUnknown("status_101")),
    ],
)
def test_every_answer_has_its_verdict(status: int, verdict: SendResult) -> None:
    assert read_answer(Reply(status, {"retry-after": "5"}, b""), "w.f.c.n.1") == verdict


class TestModels:
    def test_settings_take_what_may_be_called(self) -> None:
        assert build_settings(frozenset()).model_validate(SETTINGS)
        inside = {**SETTINGS, "url": "http://127.0.0.1:9000/"}
        assert build_settings(frozenset({"127.0.0.1:9000"})).model_validate(inside)
        with pytest.raises(ValidationError, match="must begin with https"):
            build_settings(frozenset()).model_validate(inside)

    @pytest.mark.parametrize(
        "settings",
        [{}, {"url": SETTINGS["url"]}, {**SETTINGS, "secret": SECRET}, {**SETTINGS, "secretName": SECRET + "/"}],
    )
    def test_bad_settings_are_refused(self, settings: Mapping[str, JsonValue]) -> None:
        with pytest.raises(ValidationError):
            build_settings(frozenset()).model_validate(settings)

    def test_content_has_fields_of_ones_own(self) -> None:
        given = {"text": "x", "orderId": "{{ order }}"}
        assert WebhookContent.model_validate(given).model_dump(by_alias=True, exclude_none=True) == given

    @pytest.mark.parametrize(
        "content", [{}, {"text": ""}, {"order": ""}, {"order": 7}, {"a b": "x"}, {f"f{n}": "x" for n in range(31)}]
    )
    def test_bad_content_is_refused(self, content: Mapping[str, object]) -> None:
        with pytest.raises(ValidationError):
            WebhookContent.model_validate(content)

    def test_every_contact_is_reached(self) -> None:
        assert build(KnownSecrets()).address_of(Contact(uid="c", created_at=NOW, updated_at=NOW)) == "c"
