"""Test the campaign routes: lists, validation, graph and status."""

from datetime import timedelta

from chalicelib.model.message import PermanentFailure
from tests.integration.harness import Story, fields_of, story

__all__ = ["story"]

WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}
STATUS = {
    "state", "flowUid", "flowStatus", "executions", "messages", "nodes", "spent", "estimatedRemainingCost", "currency",
    "cost", "schedule", "pauseReason", "pausedBy", "pausedAt", "endReason", "inFlight",
}  # fmt: skip


class TestListing:
    def test_campaigns_are_listed_by_name_state_availability_and_channel(self, story: Story) -> None:
        story.set_up()
        other = story.api.post("/v1/channels", {"name": "B", "type": "console"}).data["uid"]
        summer = story.short_campaign(name="Großer SUMMER Sale")
        steps = story.campaign(story.send("a", channelUid=other), name="Winter", availability="INACTIVE")
        story.start(summer)

        def listed(query: str) -> list[str]:
            return [each["uid"] for each in story.api.all_pages(f"/campaigns?{query}")]

        assert listed("name=summer") == listed("name=GROSSER%20s") == listed("name=gro%C3%9Fer") == [summer]
        assert listed("state=RUNNING") == listed("availability=ACTIVE") == [summer]
        assert listed("state=DRAFT&limit=1") == listed(f"channelUid={other}") == [steps]
        assert listed(f"channelUid={story.channel}") == [summer]
        assert set(listed("limit=1")) == {summer, steps}
        assert story.api.get("/campaigns?state=running").status == 422
        assert story.api.get("/campaigns?name=").status == 422

    def test_a_page_by_state_is_full(self, story: Story) -> None:
        story.set_up()
        uids = [story.short_campaign() for _ in range(9)]
        for uid in uids[::3]:
            story.start(uid)
        first = story.api.get("/campaigns?state=RUNNING&limit=2").json
        second = story.api.get(f"/campaigns?state=RUNNING&limit=2&cursor={first['nextCursor']}").json
        assert [len(first["data"]), len(second["data"])] == [2, 1]

    def test_a_list_of_large_campaigns_stays_small(self, story: Story) -> None:
        story.set_up()
        audience = {"contactUids": [f"contact-{n:09}" for n in range(10_000)]}
        for _ in range(30):
            story.short_campaign(audience=audience)
        listed = story.api.get("/campaigns?limit=100")
        assert len(listed.text) < 100_000
        assert listed.json["data"][0]["audience"] == {"segmentUid": None, "contactCount": 10_000}


class TestValidation:
    def test_every_problem_names_its_field_and_step(self, story: Story) -> None:
        story.set_up()
        steps = [
            {"id": "hop", "type": "JUMP"},
            {"id": "wait", "type": "WAIT", "for": "P400D"},
            story.send("lost", channelUid="nowhere"),
            {"id": "raw", "type": "SEND", "channelUid": story.channel, "templateUid": story.add_template("x", False)},
            {"id": "gone", "type": "SEND", "channelUid": story.channel, "templateUid": "gone"},
            story.send("old", channelUid=story.channel, templateVersion=9),
        ]
        found = story.expect(200, story.api.post(f"/campaigns/{story.campaign(*steps)}/validate"))
        assert found["valid"] is False
        assert {(error["stepId"], error["field"]) for error in found["errors"]} == {
            ("hop", "steps[0]"),
            ("wait", "steps[1].for"),
            ("lost", "steps[2].channelUid"),
            ("raw", "steps[3].templateUid"),
            ("gone", "steps[4].templateUid"),
            ("old", "steps[5].templateVersion"),
        }
        assert any("365 days" in error["message"] for error in found["errors"])

    def test_warnings_do_not_block(self, story: Story) -> None:
        story.set_up()
        without_messages = story.api.post(f"/campaigns/{story.campaign(WAIT)}/validate").data
        assert (without_messages["valid"], len(without_messages["warnings"])) == (True, 1)
        open_channel = story.api.post(f"/campaigns/{story.campaign(story.send('a'))}/validate").data
        assert (open_channel["valid"], open_channel["warnings"][0]["field"]) == (True, "steps[0].channelUid")

    def test_launch_refuses_all_problems_that_validate_reports(self, story: Story) -> None:
        story.set_up()
        rejected = story.add_template("x")
        story.expect(200, story.api.post(f"/v1/templates/{rejected}/reject", {"reason": "loud"}))
        blocked = {"name": "B", "type": "console", "approval": "blocked"}
        steps = [
            {"id": "a", "type": "SEND", "channelUid": story.channel, "templateUid": rejected},
            {"id": "b", "type": "SEND", "channelUid": story.channel, "templateUid": story.add_template("x", False)},
            story.send("c", channelUid=story.api.post("/v1/channels", blocked).data["uid"]),
        ]
        campaign = story.campaign(*steps)
        body = {"channelUid": story.channel, "campaignUid": campaign, "contactUids": story.contacts}
        reply = story.api.post("/flows", body)
        wanted = ["campaign.steps[0].templateUid", "campaign.steps[1].templateUid", "campaign.steps[2].channelUid"]
        assert (reply.status, fields_of(reply)) == (422, wanted)
        assert "REJECTED" in reply.text
        for route in ("launch", "trigger"):
            launched = story.api.post(f"/campaigns/{campaign}/{route}", {"contactUids": story.contacts})
            assert (launched.status, len(launched.json["details"])) == (422, 3), route
        assert story.api.post(f"/campaigns/{campaign}/publish").status == 422
        assert story.api.get("/flows").json["data"] == []
        assert story.api.get(f"/campaigns/{campaign}/versions").json["data"] == []

    def test_a_draft_with_problems_has_a_graph(self, story: Story) -> None:
        story.set_up()
        campaign = story.campaign(story.send("a") | {"name": 'say "hi" [x]'}, WAIT, {"id": "end", "type": "END"})
        graph = story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/graph"))
        assert graph["start"] == "a"
        assert [(node["id"], node["type"], node["exits"]) for node in graph["nodes"]] == [
            ("a", "SEND", {"next": "pause"}), ("pause", "WAIT", {"next": "end"}), ("end", "END", {}),
        ]  # fmt: skip
        assert graph["mermaid"].startswith("flowchart TD\n")
        assert graph["mermaid"].count(" --> ") == 2
        assert '"hi"' not in graph["mermaid"]
        for steps in ([{"id": "x", "type": "?"}], [1, None, "x", []], [], [WAIT, WAIT], [{"type": "SEND"}]):
            broken = story.campaign(*steps)
            assert story.api.get(f"/campaigns/{broken}/graph").status == 200
            assert story.api.post(f"/campaigns/{broken}/validate").data["errors"]


class TestStatus:
    def test_the_status_before_during_and_after_a_run(self, story: Story) -> None:
        story.set_up()
        campaign = story.campaign(story.send("a", channelUid=story.channel), WAIT)
        url = f"/campaigns/{campaign}"
        before = story.expect(200, story.api.get(f"{url}/status"))
        assert (set(before), before["state"], before["flowUid"]) == (STATUS, "DRAFT", None)
        flow = story.expect(202, story.api.post(f"{url}/launch", {"contactUids": story.contacts}))["flowUid"]
        story.run()
        during = story.api.get(f"/v1{url}/status").data
        assert (set(during), during["state"], during["flowUid"]) == (STATUS, "RUNNING", flow)
        assert (during["executions"]["pending"], during["messages"]["sent"]) == (3, 3)
        assert during["nodes"]["pause"]["here"] == 3
        story.expect(200, story.api.post(f"{url}/pause"))
        paused = story.api.get(f"{url}/status").data
        assert (paused["state"], paused["pauseReason"]) == ("PAUSED", "operator")
        assert paused["pausedAt"] == "2026-03-02T09:00:00.000Z"
        story.expect(200, story.api.post(f"{url}/resume"))
        story.advance(timedelta(minutes=21), timedelta(seconds=30))
        after = story.api.get(f"{url}/status").data
        assert (after["state"], after["flowStatus"], after["executions"]["completed"]) == ("COMPLETED", "completed", 3)
        assert story.api.get(url).data["state"] == "COMPLETED"

    def test_a_failed_flow_leaves_the_campaign_partially_completed(self, story: Story) -> None:
        story.set_up()
        story.provider.answer = lambda _: PermanentFailure("no")
        campaign = story.short_campaign(audience={"contactUids": story.contacts})
        story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))
        story.run()
        story.advance(timedelta(seconds=5))
        shown = story.api.get(f"/campaigns/{campaign}/status").data
        assert (shown["state"], shown["endReason"]) == ("COMPLETED_PARTIAL", "all_failed")

    def test_campaigns_of_another_workspace_are_not_found(self, story: Story) -> None:
        story.set_up()
        url = f"/campaigns/{story.short_campaign()}"
        stranger = story.world.new_caller()
        posts = ["validate", "estimate", "publish", "launch", "trigger", "pause", "resume", "cancel"]
        replies = [stranger.post(f"{url}/{route}") for route in posts]
        replies += [stranger.get(f"{url}{tail}") for tail in ("", "/status", "/versions", "/versions/1", "/graph")]
        replies += [stranger.patch(url, {"name": "x"}), stranger.delete(url)]
        replies += [stranger.post(f"{url}/test-run", {"contactUid": story.contacts[0]})]
        assert [reply.status for reply in replies] == [404] * len(replies)
        assert stranger.get("/campaigns").json["data"] == []
