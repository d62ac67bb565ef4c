"""Test messages through the API."""

from typing import Any

import pytest

from tests.integration.channels.test_edit_channel import CONSOLE, MAIL, fields_of
from tests.integration.conftest import Api, World


def test_a_test_message_on_the_console_is_accepted(api: Api) -> None:
    uid = api.post("/v1/channels", CONSOLE).data["uid"]
    reply = api.post(f"/v1/channels/{uid}/test", {"to": "me", "content": {"text": "Hi {{ name }}"}})
    assert (reply.status, reply.data["verdict"]) == (200, "accepted")
    assert reply.data["messageUid"].startswith(f"{api.workspace}.test.test.")


def test_a_test_message_by_email_reaches_ses(api: Api, world: World) -> None:
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
        ({"contactUid": "unknown", "content": {"text": "x"}}, ["contactUid"]),
    ],
)
def test_every_missing_or_wrong_field_is_named(api: Api, body: dict[str, Any], fields: list[str]) -> None:
    uid = api.post("/v1/channels", CONSOLE).data["uid"]
    assert fields_of(api.post(f"/v1/channels/{uid}/test", body)) == fields


def test_a_blocked_channel_sends_no_test_message(api: Api) -> None:
    uid = api.post("/v1/channels", {**CONSOLE, "approval": "blocked"}).data["uid"]
    reply = api.post(f"/v1/channels/{uid}/test", {"to": "me", "content": {"text": "x"}})
    assert (reply.status, reply.json["current"]) == (409, "blocked")


def test_an_unsubscribed_contact_gets_no_test_message(api: Api) -> None:
    uid = api.post("/v1/channels", CONSOLE).data["uid"]
    contact = api.post("/v1/contacts", {"email": "ana@example.com", "status": "UNSUBSCRIBED"}).data["uid"]
    reply = api.post(f"/v1/channels/{uid}/test", {"contactUid": contact, "content": {"text": "x"}})
    assert fields_of(reply) == ["contactUid"]
