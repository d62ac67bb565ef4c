"""Test the list of messages: by flow, contact or campaign, with filters and pages."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.message import Accepted, OutcomeUnknown, PermanentFailure
from tests.integration.harness import Story, story

__all__ = ["story"]

MESSAGE = {
    "uid", "flowUid", "contactUid", "nodeId", "channelUid", "status", "reason", "attempts", "providerId", "cost", "at",
    "reportedAt",
}  # fmt: skip


def run_three_sends(story: Story, contacts: int = 5) -> str:
    """Run a flow of three SEND steps, the last after a day.

    c1 fails at the first step, the first message of c2 is unknown, and c3 is blocked.
    """
    story.set_up(contacts)
    results = {"c1@example.com": PermanentFailure("rejected"), "c2@example.com": OutcomeUnknown("timeout")}
    story.provider.answer = lambda message: (
        results.get(message.to, Accepted("p-1")) if message.uid.node == "one" else Accepted("p-2")
    )
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[3]}", {"status": "BLOCKED"}))
    steps = [story.send("one"), story.send("two"), {"id": "day", "type": "WAIT", "for": "P1D"}, story.send("three")]
    flow = story.start(story.campaign(*steps))
    story.run()
    story.advance(timedelta(hours=23), timedelta(minutes=30))
    story.advance(timedelta(hours=1, minutes=1), timedelta(minutes=5))
    assert story.flow(flow)["status"] == "partial_completed"
    return flow


def keys(messages: Any) -> set[tuple[str, str]]:
    return {(message["contactUid"], message["nodeId"]) for message in messages}


def test_each_send_is_a_message_with_a_uid(story: Story) -> None:
    flow = run_three_sends(story)
    messages = story.api.all_pages(f"/v1/messages?flowUid={flow}")
    assert len(messages) == len(keys(messages)) == 3 * 5 - 2
    assert all(set(message) == MESSAGE for message in messages)
    assert {message["uid"] for message in messages if message["attempts"]} == set(story.provider.times_called())
    for message in messages:
        assert story.expect(200, story.api.get(f"/v1/messages/{message['uid']}")) == message
    failed = next(message for message in messages if message["status"] == "failed")
    assert (failed["reason"], failed["contactUid"], failed["nodeId"]) == ("rejected", story.contacts[1], "one")
    sent = next(message for message in messages if message["status"] == "sent")
    assert (sent["channelUid"], sent["cost"], sent["providerId"]) == (story.channel, "0.00", "p-1")


def test_filters(story: Story) -> None:
    flow = run_three_sends(story)
    campaign = story.flow(flow)["campaignUid"]

    def count(query: str) -> int:
        return len(story.api.all_pages(f"/v1/messages?{query}"))

    assert count(f"campaignUid={campaign}") == count(f"campaignUid={campaign}&flowUid={flow}") == 13
    statuses = ("sent", "failed", "unknown", "skipped")
    assert [count(f"flowUid={flow}&status={status}&limit=1") for status in statuses] == [8, 1, 1, 3]
    assert count(f"contactUid={story.contacts[0]}") == 3
    assert count(f"contactUid={story.contacts[3]}&status=skipped") == 3
    assert count(f"contactUid={story.contacts[0]}&flowUid={flow}&limit=1") == 3
    assert count(f"contactUid={story.contacts[0]}&flowUid=other") == 0
    assert count(f"flowUid={flow}&channelUid={story.channel}") == 13
    assert count(f"flowUid={flow}&channelUid=other") == 0
    assert count(f"flowUid={flow}&from=2026-03-03T00:00:00Z") == 4
    assert count(f"flowUid={flow}&to=2026-03-03T00:00:00Z") == 9
    assert count(f"flowUid={flow}&from=2026-03-02T10:00:00%2B01:00&to=2026-03-02T10:00:01%2B01:00") == 9
    assert count("contactUid=nobody") == 0
    other = story.short_campaign()
    assert count(f"campaignUid={other}") == count(f"campaignUid={other}&flowUid={flow}") == 0
    assert story.api.get("/v1/messages?flowUid=nowhere").status == 404
    assert story.api.get("/v1/messages?campaignUid=nowhere").status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "flowUid"), ("?status=sent", "flowUid"), ("?flowUid=x&status=lost", "status"), ("?limit=0", "limit"),
        ("?flowUid=x&limit=101", "limit"), ("?flowUid=x&from=yesterday", "from"), ("?flowUid=x&color=red", "color"),
        ("?flowUid=x&to=2026-03-03T00:00:00", "to"), ("?flowUid=a%2Fb", "flowUid"), ("?flowUid=x&cursor=x", "cursor"),
    ],
)  # fmt: skip
def test_an_invalid_query_is_refused_with_its_field(story: Story, query: str, field: str) -> None:
    reply = story.api.get(f"/v1/messages{query}")
    assert (reply.status, [detail["field"] for detail in reply.json["details"]]) == (422, [field])


@pytest.mark.parametrize("limit", [1, 2, 4, 100])
def test_pages_are_full(story: Story, limit: int) -> None:
    flow = run_three_sends(story)
    campaign = story.flow(flow)["campaignUid"]
    second = story.start(campaign, story.contacts[:1])
    story.run()
    for query, total in ((f"flowUid={flow}", 13), (f"campaignUid={campaign}", 15), (f"flowUid={second}", 2)):
        url = f"/v1/messages?{query}&limit={limit}"
        pages = [story.api.get(url).json]
        while pages[-1]["nextCursor"]:
            pages.append(story.api.get(f"{url}&cursor={pages[-1]['nextCursor']}").json)
        shown = [message["uid"] for page in pages for message in page["data"]]
        assert len(shown) == len(set(shown)) == total
        assert max(len(page["data"]) for page in pages) == min(limit, total) or limit > 4
        assert all(len(page["data"]) <= limit for page in pages)
        if len(pages) > 1:
            back = story.api.get(f"{url}&cursor={pages[-1]['prevCursor']}").json
            assert back["data"] == pages[-2]["data"]


def test_a_cursor_of_other_filters_is_refused_and_one_of_a_deleted_flow_continues(story: Story) -> None:
    flow = run_three_sends(story)
    campaign = story.flow(flow)["campaignUid"]
    second = story.start(campaign, story.contacts[:2])
    story.run()
    cursor = story.api.get(f"/v1/messages?campaignUid={campaign}&limit=1").json["nextCursor"]
    assert story.api.get(f"/v1/messages?contactUid={story.contacts[0]}&cursor={cursor}").status == 422
    of_contact = story.api.get(f"/v1/messages?contactUid={story.contacts[0]}&limit=1").json["nextCursor"]
    assert story.api.get(f"/v1/messages?flowUid={flow}&cursor={of_contact}").status == 422
    story.set_status(second, "cancelled")
    story.expect(200, story.api.delete(f"/flows/{second}"))
    rest = story.api.get(f"/v1/messages?campaignUid={campaign}&limit=100&cursor={cursor}").json
    assert {message["flowUid"] for message in rest["data"]} == {flow}
    assert len(rest["data"]) == 13


def test_an_unknown_message_is_not_found(story: Story) -> None:
    flow = run_three_sends(story)
    known = story.api.get(f"/v1/messages?contactUid={story.contacts[0]}").json["data"][0]["uid"]
    workspace, _, contact, node, _ = known.split(".")
    for uid in (
        "x", known[:-1], f"{known[:-1]}2", f"{known[:-1]}01", f"{workspace}.{flow}.{contact}.day.1", f"{known}.1",
        f"{workspace}.{flow}.nobody.{node}.1", f"other.{flow}.{contact}.{node}.1", f"{workspace}.no.{contact}.{node}.1",
        "a" * 400, "%00", f"{workspace}.{flow}.{contact}.{node}.{'9' * 200}",
    ):  # fmt: skip
        assert story.api.get(f"/v1/messages/{uid}").status == 404, uid


def test_messages_of_another_workspace_are_not_found(story: Story) -> None:
    flow = run_three_sends(story)
    campaign = story.flow(flow)["campaignUid"]
    known = story.api.get(f"/v1/messages?contactUid={story.contacts[0]}").json["data"][0]["uid"]
    stranger = story.world.new_caller()
    assert stranger.get(f"/v1/messages/{known}").status == 404
    assert stranger.get(f"/v1/messages?flowUid={flow}").status == 404
    assert stranger.get(f"/v1/messages?campaignUid={campaign}").status == 404
    assert stranger.get(f"/v1/messages?contactUid={story.contacts[0]}").json["data"] == []
