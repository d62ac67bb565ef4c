"""Channels through the API: create, read, replace, list and delete."""

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


def test_one_response_names_every_wrong_setting(api: Api) -> None:
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


def test_the_type_of_a_channel_cannot_change(api: Api) -> None:
    uid = api.post("/v1/channels", CONSOLE).data["uid"]
    assert fields_of(api.put(f"/v1/channels/{uid}", MAIL)) == ["type"]


def test_a_channel_of_another_workspace_is_not_found(api: Api, world: World) -> None:
    url = f"/v1/channels/{world.new_caller().post('/v1/channels', CONSOLE).data['uid']}"
    test = {"to": "x", "content": {"text": "x"}}
    replies = [api.get(url), api.put(url, CONSOLE), api.delete(url), api.post(f"{url}/test", test)]
    assert [reply.status for reply in replies] == [404] * 4


def test_a_reader_may_only_read(api: Api, world: World) -> None:
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


def test_channel_types_describe_their_settings_and_content(api: Api) -> None:
    reply = api.get("/v1/channel-types")
    assert reply.status == 200
    types = {each["name"]: each for each in reply.json["data"]}
    assert set(types) == {"console", "email", "push", "rcs", "sms", "webhook", "whatsapp"}
    assert types["email"]["settings"]["required"] == ["fromEmail"]
    assert "subject" in types["email"]["content"]["properties"]
    json.dumps(types)
