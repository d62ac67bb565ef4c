"""Test starting a campaign on request, and the documented example with each of the four triggers."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.execution import DeliveryReceipt, Engagement, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, NodeId
from tests.integration.harness import Story, story

__all__ = ["story"]
HALF_HOUR = timedelta(minutes=30)
TRIGGERS: dict[str, dict[str, Any]] = {
    "manual": {"type": "manual"},
    "api": {"type": "api"},
    "scheduled": {"type": "scheduled", "at": "2026-03-02T11:00", "timezone": "Europe/Berlin"},
    "event": {"type": "event", "event": "signed.up", "until": "2026-03-02T12:00:00Z"},
}


def start(story: Story, kind: str, campaign: str) -> str:
    """Start the campaign by its trigger, and return its flow after 90 minutes, when all contacts have entered."""
    if kind in {"manual", "api"}:
        key = {"idempotencyKey": "once"}
        first, again = (story.expect(202, story.api.post(f"/v1/campaigns/{campaign}/trigger", key)) for _ in range(2))
        assert first["flowUid"] == again["flowUid"]
    else:
        story.expect(202, story.api.post(f"/v1/campaigns/{campaign}/launch"))
    if kind == "event":
        events = [{"name": "signed.up", "contactUid": uid, "id": f"up-{uid}"} for uid in story.contacts]
        for _ in range(2):
            story.expect(202, story.api.post("/v1/events", {"events": events}))
    story.advance(timedelta(minutes=90), step=timedelta(minutes=1))
    (flow,) = story.api.all_pages(f"/flows?campaignUid={campaign}")
    return str(flow["uid"])


def open_message(story: Story, flow: str, contact: str) -> None:
    ports, workspace = story.world.ports, story.api.workspace
    shards = ports.catalog.get(workspace, Flow, flow).shards
    key = ExecutionKey(workspace, FlowUid(flow), ContactUid(contact))
    assert ports.executions.put_receipt(key, shards, NodeId("hello"), DeliveryReceipt(Engagement.OPENED, story.now))


@pytest.mark.parametrize("kind", TRIGGERS)
def test_the_documented_example_ends_with_exact_statistics(story: Story, kind: str) -> None:
    story.set_up(contacts=6)
    audience = {} if kind == "event" else {"audience": {"contactUids": story.contacts}}
    campaign = story.campaign(*story.example(), trigger=TRIGGERS[kind], **audience)
    assert story.expect(200, story.api.post(f"/campaigns/{campaign}/validate"))["valid"]
    if audience:
        assert story.expect(200, story.api.post(f"/campaigns/{campaign}/estimate"))["matched"] == 6
    flow = start(story, kind, campaign)
    assert len(story.provider.calls) == 6
    for contact in story.contacts[:2]:
        open_message(story, flow, contact)
    story.advance(timedelta(days=2), step=HALF_HOUR)
    story.advance(timedelta(minutes=40), step=timedelta(minutes=1))
    status = story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))
    assert (status["state"], status["executions"]["completed"], status["executions"]["total"]) == ("COMPLETED", 6, 6)
    sent = Counter(call.message.uid.node for call in story.provider.calls)
    assert (sent, set(story.provider.times_called().values())) == (Counter(hello=6, remind=4), {1})
    assert status["nodes"]["opened"]["left"] == {"yes": 2, "no": 4}
    story.api.post(f"/flows/{flow}/recount")
    story.run()
    counted = story.flow(flow)["stats"]
    assert counted["nodes"] == status["nodes"]
    assert {name: counted[name] for name in status["executions"]} == status["executions"]
    assert {name: counted[name] for name in status["messages"]} == status["messages"]


def test_a_key_starts_one_flow_per_day(story: Story) -> None:
    story.set_up(contacts=1)
    campaign = story.campaign(
        story.send("a", channelUid=story.channel), trigger={"type": "api"}, audience={"contactUids": story.contacts}
    )

    def call(key: str) -> str:
        body = {"idempotencyKey": key}
        return str(story.expect(202, story.api.post(f"/v1/campaigns/{campaign}/trigger", body))["flowUid"])

    first = call("k")
    story.run()
    assert call("k") == first
    other = call("l")
    story.run()
    assert other != first
    story.time_travel.shift(timedelta(hours=23))
    assert call("k") == first
    story.time_travel.shift(timedelta(hours=2))
    assert call("k") not in {first, other}
    story.run()
    assert len(story.provider.calls) == 3
    unnamed = story.api.post(f"/v1/campaigns/{campaign}/trigger", {"idempotencyKey": ""})
    assert (unnamed.status, unnamed.json["details"][0]["field"]) == (422, "idempotencyKey")
