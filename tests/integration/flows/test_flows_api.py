"""Flow routes as api.md documents them: fields, lists and executions."""

import re
from datetime import timedelta
from typing import Any

from chalicelib.model.message import OutcomeUnknown, PermanentFailure
from tests.integration.harness import Story, story
from tests.integration.retry_helpers import script_results

__all__ = ["story"]

FLOW = {
    "uid", "status", "description", "channelUid", "campaignUid", "campaignVersion", "trigger", "contactCount",
    "configuration", "metadata", "stats", "createdAt", "queuedAt", "startedAt", "pausedAt", "completedAt", "updatedAt",
}  # fmt: skip
METADATA = {
    "pauseReason",
    "pausedBy",
    "endReason",
    "errors",
    "failureReasons",
    "skipReasons",
    "duplicatesRemoved",
    "inFlight",
    "stuck",
}
STATS = {
    "total", "pending", "processing", "completed", "failed", "skipped", "sent", "delivered", "opened", "clicked",
    "replied", "bounced", "unknown", "retried", "timedOut", "deliveryRate", "failureRate", "messagesPerMinute", "spent",
    "estimatedRemainingCost", "currency", "estimatedCompletionAt", "nodes",
}  # fmt: skip
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def fields_of(reply: Any) -> set[str]:
    return {detail["field"] for detail in reply.json["details"]}


def test_the_documented_trigger_and_resume_calls_work(story: Story) -> None:
    story.set_up()
    campaign = story.short_campaign(audience={"contactUids": story.contacts})
    triggered = story.api.post(f"/v1/campaigns/{campaign}/trigger")
    assert triggered.status == 202
    assert set(triggered.data) == {"flowUid", "status"}
    story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/pause"))
    resumed = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/resume"))
    assert resumed["status"] == "RUNNING"
    story.run()
    story.advance(timedelta(seconds=5))
    assert story.flow(triggered.data["flowUid"])["status"] == "completed"


def test_a_flow_shows_every_documented_field_from_draft_to_its_end(story: Story) -> None:
    story.set_up()
    flow = story.start(story.short_campaign(), status="draft")
    for _ in range(2):
        shown = story.flow(flow)
        assert set(shown) >= FLOW
        assert set(shown["metadata"]) == METADATA
        assert set(shown["stats"]) == STATS
        assert (shown["contactCount"], shown["stats"]["total"]) == (3, 3)
        assert (shown["stats"]["spent"], shown["trigger"]) == ("0.00", "api")
        story.api.patch(f"/flows/{flow}", {"status": "running"})
        story.run()
        story.advance(timedelta(seconds=5))
    assert (shown["status"], shown["campaignVersion"]) == ("completed", 1)
    assert all(MOMENT.fullmatch(shown[at]) for at in ("createdAt", "queuedAt", "startedAt", "completedAt"))
    assert shown["stats"]["nodes"]["send"]["left"] == {"next": 3}
    assert shown["stats"]["nodes"]["send"]["here"] == 0


class TestLists:
    def test_45_flows_are_paged_forwards_and_backwards(self, story: Story) -> None:
        story.set_up(contacts=1)
        campaign = story.short_campaign()
        uids = [story.start(campaign, status="draft") for _ in range(45)]
        first = story.api.get("/flows").json
        second = story.api.get(f"/flows?cursor={first['nextCursor']}").json
        third = story.api.get(f"/v1/flows?cursor={second['nextCursor']}").json
        assert [len(page["data"]) for page in (first, second, third)] == [20, 20, 5]
        shown = [flow["uid"] for page in (first, second, third) for flow in page["data"]]
        assert sorted(shown) == sorted(uids)
        assert (first["prevCursor"], third["nextCursor"]) == (None, None)
        back = story.api.get(f"/flows?cursor={third['prevCursor']}").json
        assert back["data"] == second["data"]
        assert story.api.get(f"/flows?cursor={back['prevCursor']}").json["data"] == first["data"]
        assert len(story.api.get("/flows?limit=45").json["data"]) == 45

    def test_flows_are_listed_newest_first(self, story: Story) -> None:
        story.set_up(contacts=1)
        campaign = story.short_campaign()
        uids = []
        for _ in range(3):
            uids.append(story.start(campaign, status="draft"))
            story.time_travel.shift(timedelta(seconds=1))
        assert [flow["uid"] for flow in story.api.get("/flows").json["data"]] == uids[::-1]

    def test_flows_are_filtered_by_each_filter_and_by_combinations(self, story: Story) -> None:
        story.set_up(contacts=2)
        other = story.api.post("/v1/channels", {"name": "B", "type": "console"}).data["uid"]
        one, two = story.short_campaign(), story.short_campaign(channelUid=other)
        a = story.start(one, story.contacts[:1])
        b = story.start(one, story.contacts)
        c = story.start(two, story.contacts[1:], channelUid=other)
        story.run()
        story.advance(timedelta(seconds=5))
        d = story.start(one, status="draft")

        def listed(query: str) -> set[str]:
            return {flow["uid"] for flow in story.api.all_pages(f"/flows?{query}")}

        first, second = story.contacts
        assert listed(f"contactUid={first}") == listed(f"identityUid={first}") == {a, b}
        assert listed(f"contactUid={first}&identityUid={first}&limit=1") == {a, b}
        assert listed(f"contactUid={second}&campaignUid={two}") == {c}
        assert listed(f"contactUid={second}&status=running") == set()
        assert listed(f"channelUid={other}") == {c}
        assert listed(f"campaignUid={one}") == {a, b, d}
        assert listed(f"campaignUid={one}&status=completed") == {a, b}
        assert listed("status=draft") == {d}
        assert listed("contactUid=nobody") == listed("campaignUid=none") == set()
        assert story.api.get(f"/flows?contactUid={first}&identityUid={second}").status == 422

    def test_a_bad_limit_or_filter_or_cursor_is_a_422_with_its_name(self, story: Story) -> None:
        story.set_up(contacts=2)
        campaign = story.short_campaign()
        _, uid = (story.start(campaign) for _ in range(2))
        story.run()
        cursor = story.api.get("/flows?limit=1").json["nextCursor"]
        of_contact = story.api.get(f"/flows?contactUid={story.contacts[0]}&limit=1").json["nextCursor"]
        story.short_campaign()
        of_campaigns = story.api.get("/campaigns?limit=1").json["nextCursor"]
        for query, name in [
            ("limit=0", "limit"), ("limit=101", "limit"), ("status=done", "status"), ("state=paused", "state"),
            ("campaignUid=a%20b", "campaignUid"), ("cursor=x", "cursor"), (f"cursor={of_campaigns}", "cursor"),
            (f"contactUid={story.contacts[0]}&cursor={cursor}", "cursor"), (f"cursor={of_contact}", "cursor"),
        ]:  # fmt: skip
            reply = story.api.get(f"/flows?{query}")
            assert (reply.status, fields_of(reply)) == (422, {name}), query
        assert story.api.get(f"/flows/{uid}/executions?cursor={cursor}").status == 422


class TestExecutions:
    def test_executions_are_listed_filtered_and_paged(self, story: Story) -> None:
        story.set_up(contacts=45)
        script_results(story, c3=PermanentFailure("rejected"), c4=OutcomeUnknown("timeout"))
        steps = [story.send("hello"), {"id": "pause", "type": "WAIT", "for": "P2D"}]
        flow = story.start(story.campaign(*steps))
        story.run()
        story.advance(timedelta(seconds=5))
        url = f"/flows/{flow}/executions"
        rows = story.api.all_pages(f"{url}?limit=7")
        assert sorted(row["contactUid"] for row in rows) == sorted(story.contacts)
        pages = [len(story.api.get(f"{url}?limit=44&nodeId=pause").json["data"])]
        assert pages == [44]
        assert len(story.api.all_pages(f"{url}?status=pending&nodeId=pause&limit=10")) == 44
        failed = story.api.all_pages(f"{url}?status=failed&limit=1")
        assert [row["contactUid"] for row in failed] == [story.contacts[3]]
        assert [row["reason"] for row in story.api.all_pages(f"{url}?reason=rejected")] == ["rejected"]
        unknown = story.api.all_pages(f"{url}?nodeId=hello&reason=timeout")
        assert [row["contactUid"] for row in unknown] == [story.contacts[4]]
        assert story.api.get(f"{url}?status=gone").status == 422

    def test_filtered_pages_are_full_and_show_no_execution_twice(self, story: Story) -> None:
        story.set_up(contacts=30)
        script_results(story, **{f"c{n}": PermanentFailure("no") for n in range(0, 30, 3)})
        flow = story.start(story.short_campaign())
        story.run()
        story.advance(timedelta(seconds=5))
        url = f"/v1/flows/{flow}/executions?status=failed&limit=4"
        first = story.api.get(url).json
        second = story.api.get(f"{url}&cursor={first['nextCursor']}").json
        third = story.api.get(f"{url}&cursor={second['nextCursor']}").json
        assert [len(page["data"]) for page in (first, second, third)] == [4, 4, 2]
        assert len({row["contactUid"] for page in (first, second, third) for row in page["data"]}) == 10
        assert story.api.get(f"{url}&cursor={third['prevCursor']}").json["data"] == second["data"]

    def test_an_execution_shows_its_node_and_its_wake_time(self, story: Story) -> None:
        story.set_up(contacts=1)
        steps = [story.send("hello"), {"id": "pause", "type": "WAIT", "for": "P2D"}, story.send("again")]
        flow = story.start(story.campaign(*steps))
        story.run()
        row = story.execution(flow, story.contacts[0])
        assert (row["status"], row["nodeId"], row["wakeAt"]) == ("pending", "pause", "2026-03-04T09:00:00.000Z")
        assert row["next"] == {"nodeId": "pause", "does": "leaves", "at": row["wakeAt"]}
        assert [visit["nodeId"] for visit in row["history"]] == ["hello", "pause"]
        first, here = row["history"]
        assert (first["exit"], first["message"]["status"], first["message"]["attempts"]) == ("next", "sent", 1)
        assert (here["leftAt"], here["message"]) == (None, None)
        assert story.api.get(f"/v1/flows/{flow}/executions/{story.contacts[0]}").data == row
        assert story.api.get(f"/flows/{flow}/executions/nobody").status == 404

    def test_executions_of_a_cancelled_flow_show_as_cancelled_at_once(self, story: Story) -> None:
        story.set_up()
        flow = story.start(story.campaign({"id": "pause", "type": "WAIT", "for": "P2D"}, story.send("hello")))
        story.run()
        cancelled = story.set_status(flow, "cancelled")
        assert (cancelled["stats"]["skipped"], cancelled["stats"]["pending"]) == (3, 0)
        assert cancelled["metadata"]["skipReasons"] == {"cancelled": 3}
        rows = story.api.all_pages(f"/flows/{flow}/executions?status=skipped&reason=cancelled")
        assert len(rows) == 3
        story.run()
        assert story.flow(flow)["stats"] == cancelled["stats"] | {"nodes": story.flow(flow)["stats"]["nodes"]}
        assert story.flow(flow)["metadata"]["skipReasons"] == {"cancelled": 3}


def test_a_recount_returns_the_same_numbers(story: Story) -> None:
    story.set_up()
    flow = story.start(story.campaign(story.send("hello"), {"id": "w", "type": "WAIT", "for": "P1D"}))
    story.run()
    before = story.flow(flow)["stats"]
    for prefix in ("", "/v1"):
        recounted = story.expect(200, story.api.post(f"{prefix}/flows/{flow}/recount"))
        assert recounted["stats"] == before
    draft = story.start(story.short_campaign(), status="draft")
    assert story.expect(200, story.api.post(f"/flows/{draft}/recount"))["stats"]["pending"] == 3


def test_a_flow_of_another_workspace_is_not_found(story: Story) -> None:
    story.set_up()
    flow = story.start(story.short_campaign())
    story.run()
    stranger = story.world.new_caller()
    url = f"/flows/{flow}"
    replies = [
        stranger.get(url), stranger.patch(url, {"status": "paused"}), stranger.delete(url),
        stranger.post(f"{url}/contacts", {"contactUids": ["x"]}), stranger.post(f"{url}/recount"),
        stranger.post(f"{url}/retry", {"of": "failed"}), stranger.get(f"{url}/executions"),
        stranger.get(f"{url}/executions/{story.contacts[0]}"),
    ]  # fmt: skip
    assert [reply.status for reply in replies] == [404] * len(replies)
    assert set(replies[0].json) == {"error", "message", "details", "requestId"}
    assert stranger.get("/flows").json["data"] == []
