"""Every channel type on the running stack: settings by the API, secrets by name, a message in the outbox."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.providers import credentials
from tests.e2e.stack import Stack

PHONE = "+12065550199"
TWILIO = {"provider": "twilio", "accountSid": "AC" + "0" * 32, "secretName": "twilio", "sender": "+12065550100"}
AWS_SMS = {"provider": "aws", "configurationSet": "events"}
TEMPLATE = {"templateName": "order_sent", "language": "en_US", "parameter1": "Ana"}


def workspace_of(stack: Stack) -> str:
    return str(stack.call("GET", "/v1/workspace")["data"]["uid"])


def keep_secret(stack: Stack, name: str, value: str) -> None:
    manager = stack.aws("secretsmanager")
    path = f"carillon/{workspace_of(stack)}/{name}"
    if path not in [each["Name"] for each in manager.list_secrets()["SecretList"]]:
        manager.create_secret(Name=path, SecretString=value)


def send(stack: Stack, kind: str, settings: dict[str, Any], content: dict[str, str], to: str = PHONE) -> Any:
    made = stack.call("POST", "/v1/channels", {"name": kind, "type": kind, "settings": settings})["data"]["uid"]
    return stack.call("POST", f"/v1/channels/{made}/test", {"to": to, "content": content})["data"]


def kept(stack: Stack, message_uid: str) -> Any:
    """Return the message as the provider received it."""
    files = (json.loads(path.read_text()) for path in Path(stack.data, "outbox").glob("*Z-*.json"))
    return next((each for each in files if each["message_uid"] == message_uid), None)


@pytest.mark.parametrize(
    ("kind", "settings", "content"),
    [
        ("sms", AWS_SMS, {"text": "Hi"}),
        ("sms", TWILIO, {"text": "Hi"}),
        ("rcs", {"originationIdentity": "agent-1", "fallback": "provider"}, {"text": "Hi"}),
        ("whatsapp", {"provider": "aws", "phoneNumberId": "phone-number-id-1"}, TEMPLATE),
        ("whatsapp", {"provider": "meta", "phoneNumberId": "106540352242922", "secretName": "meta"}, {"text": "Hi"}),
    ],
    ids=lambda given: given.get("provider") if isinstance(given, dict) else given,
)
def test_a_message_reaches_its_provider(shared: Stack, kind: str, settings: dict[str, Any], content: Any) -> None:
    keep_secret(shared, "twilio", json.dumps(credentials.TWILIO))
    keep_secret(shared, "meta", json.dumps(credentials.META))
    sent = send(shared, kind, settings, content)
    assert sent["verdict"] == "accepted", sent
    found = kept(shared, sent["messageUid"])
    assert (found["to"], found["channel"], found["provider_id"]) == (PHONE, kind, sent["providerId"])


def test_a_webhook_reaches_the_receiver_on_this_machine(shared: Stack) -> None:
    keep_secret(shared, "hook", credentials.WEBHOOK)
    port = json.loads((shared.data / "ports.json").read_text())["providers"]
    settings = {"url": f"http://127.0.0.1:{port}/webhook", "secretName": "hook"}
    sent = send(shared, "webhook", settings, {"order": "7"}, "somebody")
    assert sent["verdict"] == "accepted", sent
    assert json.loads(kept(shared, sent["messageUid"])["text"])["data"]["content"] == {"order": "7"}


def test_a_push_reaches_a_device(shared: Stack) -> None:
    settings = {"applications": ["arn:aws:sns:eu-west-1:000000000000:app/GCM/shop"]}
    endpoint = "arn:aws:sns:eu-west-1:000000000000:endpoint/GCM/shop/device-0199"
    sent = send(shared, "push", settings, {"title": "Hi", "text": "there"}, endpoint)
    assert sent["verdict"] == "accepted", sent
    found = kept(shared, sent["messageUid"])
    assert (found["to"], found["details"]["alert"]) == (endpoint, {"title": "Hi", "body": "there"})


def test_a_secret_that_is_not_there_is_the_channels_fault(shared: Stack) -> None:
    sent = send(shared, "sms", {**TWILIO, "secretName": "nothing"}, {"text": "Hi"})
    assert (sent["verdict"], sent["code"]) == ("channel", "secret_not_found")


def test_what_was_sent_is_on_the_page_of_the_outbox(shared: Stack) -> None:
    send(shared, "sms", AWS_SMS, {"text": "A text for the outbox"})
    page = shared.get("/outbox")[1].decode()
    assert PHONE in page
