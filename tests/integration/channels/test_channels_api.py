"""Channels by HTTP."""

import json
from typing import Any

import pytest

from chalicelib.model.workspace import Scope
from tests.integration.conftest import Api, World

CONSOLE = {"name": "Log", "type": "console"}
SMS_FIELDS = ["settings.accountSid", "settings.maxPrice", "settings.secretName"]
MAIL = {"name": "Mail", "type": "email", "settings": {"fromEmail": "news@example.com"}}


def fields_of(reply: Any) -> list[str]:
    assert reply.json["error"] == "validation_error"
    return sorted(detail["field"] for detail in reply.json["details"])


def test_a_channel_is_created_read_replaced_listed_and_deleted(api: Api) -> None:
    made = api.post("/v1/channels", {**MAIL, "settings": {"from_email": "news@example.com"}})
    assert made.status == 201
    assert made.data["settings"] == {"fromEmail": "news@example.com"}
    assert (made.data["approval"], made.data["active"], made.data["lostAnswer"]) == ("approved", True, "hold")
    url = f"/v1/channels/{made.data['uid']}"
    changed = api.put(url, {**MAIL, "name": "News", "active": False})
    assert (changed.status, changed.data["name"], changed.data["active"]) == (200, "News", False)
    assert changed.data["createdAt"] == made.data["createdAt"]
    shown = api.get(url).data
    assert shown.pop("circuit")["state"] == "closed"
    assert shown.pop("rate")["sentToday"] == 0
    assert shown == changed.data
    api.post("/v1/channels", CONSOLE)
    assert [each["name"] for each in api.all_pages("/v1/channels?type=email&limit=1")] == ["News"]
    assert len(api.all_pages("/v1/channels?limit=1")) == 2
    assert api.delete(url).status == 200
    assert api.get(url).status == api.delete(url).status == api.put(url, MAIL).status == 404


def test_every_wrong_setting_is_told_at_once(api: Api) -> None:
    reply = api.post("/v1/channels", {**MAIL, "settings": {"replyTo": "nobody", "password": "x"}})
    assert reply.status == 422
    assert fields_of(reply) == ["settings.fromEmail", "settings.password", "settings.replyTo"]
    assert fields_of(api.post("/v1/channels", {**CONSOLE, "type": "pigeon"})) == ["type"]
    assert fields_of(api.post("/v1/channels", {"type": "console", "nmae": "x"})) == ["name", "nmae"]
    assert api.get("/v1/channels").json["data"] == []


@pytest.mark.parametrize(
    ("kind", "settings", "fields"),
    [
        ("sms", {}, ["settings"]),
        ("sms", {"provider": "pigeon"}, ["settings"]),
        ("sms", {"provider": "twilio", "account_sid": "x"}, ["settings.account_sid", "settings.secretName"]),
        ("sms", {"provider": "twilio", "accountSid": "x", "maxPrice": 1}, SMS_FIELDS),
        ("whatsapp", {"provider": "meta", "phoneNumberId": "x"}, ["settings.phoneNumberId", "settings.secretName"]),
        ("rcs", {"fallback": "both"}, ["settings.fallback", "settings.originationIdentity"]),
        ("push", {"applications": ["x"]}, ["settings.applications[0]"]),
        ("webhook", {"url": "http://127.0.0.1/", "secretName": "a/b"}, ["settings.secretName", "settings.url"]),
    ],
)
def test_wrong_settings_are_named_without_the_words_of_a_union(
    api: Api, kind: str, settings: dict[str, Any], fields: list[str]
) -> None:
    reply = api.post("/v1/channels", {"name": "X", "type": kind, "settings": settings})
    assert (reply.status, fields_of(reply)) == (422, fields)


def test_the_type_of_a_channel_stays(api: Api) -> None:
    uid = api.post("/v1/channels", CONSOLE).data["uid"]
    assert fields_of(api.put(f"/v1/channels/{uid}", MAIL)) == ["type"]


def test_another_workspaces_channel_is_not_there(api: Api, world: World) -> None:
    url = f"/v1/channels/{world.new_caller().post('/v1/channels', CONSOLE).data['uid']}"
    test = {"to": "x", "content": {"text": "x"}}
    replies = [api.get(url), api.put(url, CONSOLE), api.delete(url), api.post(f"{url}/test", test)]
    assert [reply.status for reply in replies] == [404] * 4


def test_a_reader_may_look_only(api: Api, world: World) -> None:
    uid = api.post("/v1/channels", CONSOLE).data["uid"]
    reader = world.key_for(api.workspace, Scope.READ)
    assert reader.get(f"/v1/channels/{uid}").status == 200
    writes = [
        reader.post("/v1/channels", CONSOLE),
        reader.put(f"/v1/channels/{uid}", CONSOLE),
        reader.delete(f"/v1/channels/{uid}"),
        reader.post(f"/v1/channels/{uid}/test", {}),
    ]
    assert [reply.status for reply in writes] == [403] * 4


def test_channel_types_tell_what_they_take(api: Api) -> None:
    reply = api.get("/v1/channel-types")
    assert reply.status == 200
    types = {each["name"]: each for each in reply.json["data"]}
    assert set(types) == {"console", "email", "push", "rcs", "sms", "webhook", "whatsapp"}
    assert types["email"]["settings"]["required"] == ["fromEmail"]
    assert "subject" in types["email"]["content"]["properties"]
    json.dumps(types)


class TestSending:
    def test_a_test_message_by_the_console_is_accepted(self, api: Api) -> None:
        uid = api.post("/v1/channels", CONSOLE).data["uid"]
        reply = api.post(f"/v1/channels/{uid}/test", {"to": "me", "content": {"text": "Hi {{ name }}"}})
        assert (reply.status, reply.data["verdict"]) == (200, "accepted")
        assert reply.data["messageUid"].startswith(f"{api.workspace}.test.test.")

    def test_a_test_message_by_email_reaches_ses(self, api: Api, world: World) -> None:
        world.aws.client("sesv2").create_email_identity(EmailIdentity="news@example.com")
        uid = api.post("/v1/channels", MAIL).data["uid"]
        content = {"subject": "Test", "text": "Hi"}
        reply = api.post(f"/v1/channels/{uid}/test", {"to": "ana@example.com", "content": content})
        assert (reply.status, reply.data["verdict"]) == (200, "accepted")

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, ["content", "to"]),
            ({"to": "x", "contactUid": "y", "content": {"text": "x"}, "templateUid": "z"}, ["content", "to"]),
            ({"to": "x", "content": {"subject": "x"}}, ["content.subject", "content.text"]),
            ({"contactUid": "nobody", "content": {"text": "x"}}, ["contactUid"]),
        ],
    )
    def test_what_is_missing_is_told(self, api: Api, body: dict[str, Any], fields: list[str]) -> None:
        uid = api.post("/v1/channels", CONSOLE).data["uid"]
        assert fields_of(api.post(f"/v1/channels/{uid}/test", body)) == fields

    def test_nothing_goes_out_by_a_blocked_channel(self, api: Api) -> None:
        uid = api.post("/v1/channels", {**CONSOLE, "approval": "blocked"}).data["uid"]
        reply = api.post(f"/v1/channels/{uid}/test", {"to": "me", "content": {"text": "x"}})
        assert (reply.status, reply.json["current"]) == (409, "blocked")

    def test_a_contact_who_unsubscribed_gets_no_test_either(self, api: Api) -> None:
        uid = api.post("/v1/channels", CONSOLE).data["uid"]
        contact = api.post("/v1/contacts", {"email": "ana@example.com", "status": "UNSUBSCRIBED"}).data["uid"]
        reply = api.post(f"/v1/channels/{uid}/test", {"contactUid": contact, "content": {"text": "x"}})
        assert fields_of(reply) == ["contactUid"]
