"""Receipts on the running stack: the local providers report the delivery of mails and texts."""

import time
from typing import Any

from tests.e2e.stack import Stack, eventually

MAIL = {"subject": "Hello", "text": "Hi"}


def make(stack: Stack, kind: str, settings: dict[str, Any], content: dict[str, str]) -> tuple[str, str]:
    """Create a channel that reports deliveries, and a template for it."""
    channel = {"name": kind, "type": kind, "settings": settings, "reportsReceipts": True}
    made = str(stack.call("POST", "/v1/channels", channel)["data"]["uid"])
    template = {"name": kind, "channelType": kind, "content": content}
    uid = str(stack.call("POST", "/v1/templates", template)["data"]["uid"])
    stack.call("POST", f"/v1/templates/{uid}/publish")
    return made, uid


def start(stack: Stack, channel: str, template: str, contacts: list[str]) -> str:
    campaign = {"name": "Receipts", "channelUid": channel, "templateUid": template}
    uid = stack.call("POST", "/v1/campaigns", campaign)["data"]["uid"]
    flow = {"channelUid": channel, "campaignUid": uid, "contactUids": contacts}
    return str(stack.call("POST", "/v1/flows", flow)["data"]["uid"])


def await_figures(stack: Stack, flow: str, **stats: int) -> None:
    """A receipt that arrives while the flow ends is counted directly after."""
    assert stack.await_end(flow, 60)["status"] == "completed"
    eventually(lambda: stats.items() <= stack.flow(flow)["stats"].items(), 20)


def contact(stack: Stack, **fields: str) -> str:
    return str(stack.call("POST", "/v1/contacts", fields)["data"]["uid"])


def names_of(stack: Stack, uid: str) -> set[str]:
    entries = stack.call("GET", f"/v1/contacts/{uid}/timeline?limit=100")["data"]
    return {each["name"] for each in entries if each["kind"] == "event"}


def test_mails_are_followed_to_their_end_and_bounces_suppress(shared: Stack) -> None:
    settings = {"fromEmail": "shop@example.com", "configurationSet": "events"}
    channel, template = make(shared, "email", settings, MAIL)
    number = time.time_ns()
    reader, gone = (contact(shared, email=f"{name}+{number}@example.com") for name in ("open", "bounce"))
    flow = start(shared, channel, template, [reader, gone])
    eventually(lambda: shared.flow(flow)["stats"]["opened"], 60)
    await_figures(shared, flow, sent=2, delivered=1, opened=1, bounced=1, replied=0)
    eventually(lambda: "message.opened" in names_of(shared, reader), 20)
    eventually(lambda: "message.bounced" in names_of(shared, gone), 20)
    search = shared.call("POST", "/v1/suppressions/search", {"email": f"bounce+{number}@example.com"})["data"]
    assert [block["reason"] for block in search["blocks"]] == ["hard_bounce"]


def test_a_text_is_delivered_answered_and_stopped(shared: Stack) -> None:
    channel, template = make(shared, "sms", {"provider": "aws", "configurationSet": "events"}, {"text": "Hi"})
    area = time.time_ns() % 700 + 200
    fan, foe = (contact(shared, phone=f"+1206{area}{digits}") for digits in ("0102", "0103"))
    flow = start(shared, channel, template, [fan, foe])
    eventually(lambda: shared.flow(flow)["stats"]["replied"] == 2, 60)
    await_figures(shared, flow, delivered=2, replied=2)
    eventually(lambda: "message.unsubscribed" in names_of(shared, foe), 20)
    assert "message.unsubscribed" not in names_of(shared, fan)
    again = start(shared, channel, template, [foe])
    assert shared.await_end(again, 60)["metadata"]["skipReasons"] == {"suppressed": 1}
