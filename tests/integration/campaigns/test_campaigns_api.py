"""The campaign routes: writing, examining, publishing, starting, watching, and what each refuses."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.model.message import PermanentFailure
from tests.integration.harness import Story, story

__all__ = ["story"]

WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}
STATUS = {
    "state", "flowUid", "flowStatus", "executions", "messages", "nodes", "spent", "estimatedRemainingCost", "currency",
    "cost", "schedule", "pauseReason", "pausedBy", "pausedAt", "endReason", "inFlight",
}  # fmt: skip


def fields_of(reply: Any) -> list[str]:
    return sorted(detail["field"] for detail in reply.json["details"])


class TestWriting:
    def test_the_short_form_is_stored_as_send_and_end(self, story: Story) -> None:
        story.set_up()
        body = {
            "name": "Welcome",
            "channelUid": story.channel,
            "templateUid": story.template,
            "parameterStrategy": "USE_CONTACT_ASSOCIATION",
            "parameters": {"first_name": "nickname, firstName, default"},
            "parameterDefaults": {"first_name": "you"},
        }
        made = story.expect(201, story.api.post("/campaigns", body))
        assert {name: made[name] for name in body} == body
        assert [step["type"] for step in made["steps"]] == ["SEND", "END"]
        assert (made["state"], made["availability"], made["latestVersion"]) == ("DRAFT", "ACTIVE", 0)
        assert story.api.get(f"/v1/campaigns/{made['uid']}").data == made
        assert made["rev"] == 0

    def test_a_template_is_found_by_its_name_if_one_has_it(self, story: Story) -> None:
        story.set_up()
        named = story.add_template("Hi", name="Only one")
        campaign = story.expect(
            201, story.api.post("/campaigns", {"name": "N", "channelUid": story.channel, "templateName": "Only one"})
        )
        assert campaign["steps"][0]["templateUid"] == named
        story.add_template("Hi", name="Only one")
        for name, message in (("Only one", "several templates are"), ("Nobody", "no template is")):
            reply = story.api.post("/campaigns", {"name": "N", "channelUid": story.channel, "templateName": name})
            assert (reply.status, fields_of(reply)) == (422, ["templateName"])
            assert message in reply.json["message"]

    def test_it_is_patched_from_one_form_to_the_other_and_back(self, story: Story) -> None:
        story.set_up()
        url = f"/campaigns/{story.short_campaign()}"
        story.expect(200, story.api.patch(url, {"parameters": {"first_name": "lastName"}}))
        assert story.api.get(url).data["steps"][0]["parameters"] == {"first_name": "lastName"}
        steps = story.expect(200, story.api.patch(url, {"steps": [story.send("one"), WAIT]}))
        assert [step["id"] for step in steps["steps"]] == ["one", "pause"]
        assert "templateUid" not in steps
        half = story.api.patch(url, {"parameters": {"first_name": "lastName"}})
        assert (half.status, "channelUid" in fields_of(half)) == (422, True)
        short = {"channelUid": story.channel, "templateUid": story.template}
        again = story.expect(200, story.api.patch(url, short))
        assert [step["id"] for step in again["steps"]] == ["send", "end"]
        assert again["templateUid"] == story.template

    def test_what_is_wrong_with_a_new_one_is_told_at_once_and_nothing_is_kept(self, story: Story) -> None:
        story.set_up()
        for body, fields in [
            ({}, ["name", "steps"]),
            ({"channelUid": story.channel}, ["name", "templateUid"]),
            ({"name": "x", "templateUid": story.template}, ["channelUid"]),
            ({"name": "x", "channelUid": 5, "templateUid": "a b", "parameters": {"1": "x", "y": ""}},
             ["channelUid", "parameters.1", "parameters.y", "templateUid"]),
            ({"name": "x", "channelUid": "c", "templateUid": "t", "templateName": "n"}, ["templateUid"]),
            ({"name": "x", "channelUid": "c", "templateUid": "t", "steps": []}, ["body"]),
            ({"name": "", "steps": [], "availability": "OPEN", "trigger": {"type": "moon"}, "color": 1},
             ["availability", "color", "name", "trigger"]),
            ({"name": "x", "steps": [], "status": "ACTIVE", "availability": "INACTIVE"}, ["body"]),
            ({"name": "x", "steps": [], "audience": {}}, ["audience"]),
            ({"name": "x", "steps": [], "configuration": {"pauseBetweenContactsSaltMs": 5}}, ["configuration"]),
            ({"configuration": {"pauseBetweenContactsSaltMs": 5}, "channelUid": story.channel},
             ["configuration", "name", "templateUid"]),
            ({"name": "x", "steps": [], "audience": {"contactUids": ["a"] * 10_001}}, ["audience.contactUids"]),
        ]:  # fmt: skip
            reply = story.api.post("/campaigns", body)
            assert (reply.status, fields_of(reply)) == (422, fields), (body, reply.text)
        assert "10000" in reply.json["details"][0]["message"]
        assert story.api.get("/campaigns").json["data"] == []

    def test_status_and_availability_are_one_field(self, story: Story) -> None:
        story.set_up()
        url = f"/campaigns/{story.short_campaign(status='PENDING')}"
        assert story.api.get(url).data["availability"] == "PENDING"
        assert story.api.patch(url, {"status": "DEPRECATED"}).data["availability"] == "DEPRECATED"
        assert story.api.patch(url, {"availability": "ACTIVE"}).data["availability"] == "ACTIVE"
        assert story.api.patch(url, {"status": "RUNNING"}).status == 422

    def test_an_audience_is_taken_away_by_null_and_pacing_changes_field_by_field(self, story: Story) -> None:
        story.set_up()
        audience = {"contactUids": story.contacts}
        url = f"/campaigns/{story.short_campaign(audience=audience, configuration={'maxRetries': 1})}"
        changed = story.api.patch(url, {"audience": None, "configuration": {"retryDelayMs": 7}}).data
        assert changed["audience"] is None
        assert (changed["configuration"]["maxRetries"], changed["configuration"]["retryDelayMs"]) == (1, 7)

    def test_it_is_listed_by_name_in_any_case_by_state_availability_and_channel(self, story: Story) -> None:
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


class TestExamining:
    def test_every_problem_comes_with_its_field_and_step(self, story: Story) -> None:
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
        silent = story.api.post(f"/campaigns/{story.campaign(WAIT)}/validate").data
        assert (silent["valid"], len(silent["warnings"])) == (True, 1)
        open_channel = story.api.post(f"/campaigns/{story.campaign(story.send('a'))}/validate").data
        assert (open_channel["valid"], open_channel["warnings"][0]["field"]) == (True, "steps[0].channelUid")

    def test_what_validate_calls_wrong_launch_refuses_at_once_and_leaves_nothing(self, story: Story) -> None:
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

    def test_a_graph_is_shown_also_of_a_draft_with_problems(self, story: Story) -> None:
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

    def test_an_estimate_names_each_exclusion(self, story: Story) -> None:
        story.set_up(contacts=5)
        for uid, change in zip(
            story.contacts,
            [{"status": "BLOCKED"}, {"consent": {"console": {"MESSAGE": "REVOKED"}}}, {"firstName": None}],
            strict=False,
        ):
            story.expect(200, story.api.patch(f"/v1/contacts/{uid}", change))
        steps = [story.send("one", channelUid=story.channel), WAIT, story.send("two")]
        audience = {"contactUids": [*story.contacts, "gone", story.contacts[0]]}
        campaign = story.campaign(*steps, audience=audience, configuration={"pauseBetweenContactsMs": 1000})
        estimate = story.expect(200, story.api.post(f"/campaigns/{campaign}/estimate"))
        reasons = {"contact_blocked": 1, "consent_revoked": 1, "missing_template_parameter": 1}
        assert estimate["excluded"] == {"one": reasons, "two": reasons}
        assert (estimate["matched"], estimate["notFound"]) == (6, 1)
        assert estimate["reachable"] == {story.channel: 2}
        assert estimate["messages"] == {"total": 4, story.channel: 4}
        assert estimate["estimatedCompletionAt"] == "2026-03-02T09:00:04.000Z"
        assert (estimate["cost"]["expected"], estimate["cost"]["currency"]) == ("0.00", "EUR")
        nobody = story.api.post(f"/campaigns/{story.short_campaign()}/estimate")
        assert (nobody.status, fields_of(nobody)) == (422, ["audience"])

    def test_a_test_run_sends_nothing_and_shows_path_times_and_text(self, story: Story) -> None:
        story.set_up()
        steps = [story.send("one"), WAIT, story.send("two", parameters={"first_name": "nickname"})]
        url = f"/campaigns/{story.campaign(*steps)}/test-run"
        wish = {"contactUid": story.contacts[0], "channelUid": story.channel}
        run = story.expect(200, story.api.post(url, wish))
        assert [(each["nodeId"], each["leftAt"]) for each in run["path"]] == [
            ("one", "2026-03-02T09:00:00.000Z"),
            ("pause", "2026-03-02T09:20:00.000Z"),
            ("two", "2026-03-02T09:20:00.000Z"),
        ]
        assert run["path"][0]["message"]["text"] == "Hello Name0"
        assert run["path"][2]["skipped"] == "missing_template_parameter"
        assert (run["status"], run["endsAt"]) == ("completed", "2026-03-02T09:20:00.000Z")
        story.run()
        assert story.provider.calls == []
        assert story.api.get("/flows").json["data"] == []
        without = story.api.post(url, {"contactUid": story.contacts[0]})
        assert (without.status, fields_of(without)) == (422, ["channelUid"])
        nobody = story.api.post(url, wish | {"contactUid": "nobody"})
        assert (nobody.status, fields_of(nobody)) == (422, ["contactUid"])


class TestVersions:
    def test_publishing_again_unchanged_is_the_same_version(self, story: Story) -> None:
        story.set_up()
        url = f"/campaigns/{story.short_campaign()}"
        first = story.expect(200, story.api.post(f"{url}/publish"))
        assert first["version"] == 1
        assert story.api.post(f"{url}/publish").data == first
        story.api.patch(url, {"description": "not sent"})
        assert story.api.post(f"{url}/publish").data == first
        story.api.patch(url, {"name": "Other"})
        assert story.api.get(url).data["draftChanged"] is True
        assert story.api.post(f"/v1{url}/publish").data["version"] == 2
        listed = story.api.get(f"{url}/versions").json
        assert ([each["version"] for each in listed["data"]], listed["total"]) == ([2, 1], 2)
        assert [each["version"] for each in story.api.all_pages(f"{url}/versions?limit=1")] == [2, 1]
        assert story.api.get(f"/v1{url}/versions/1").data == first
        assert first["templates"] == {"send": 1}
        for number in ("3", "0", "-1", "one", "1.0", "9999999", "%D9%A1"):
            assert story.api.get(f"{url}/versions/{number}").status == 404, number

    def test_what_runs_keeps_its_versions_and_what_starts_takes_the_newest(self, story: Story) -> None:
        story.set_up(contacts=1)
        campaign = story.campaign(WAIT, story.send("one"))
        old = story.start(campaign)
        story.run()
        template = f"/v1/templates/{story.template}"
        story.expect(200, story.api.patch(template, {"content": {"text": "Bye {{ first_name }}"}}))
        story.expect(200, story.api.post(f"{template}/publish"))
        new = story.start(campaign)
        story.api.patch(f"/campaigns/{campaign}", {"steps": [WAIT, {"id": "end", "type": "END"}]})
        story.run()
        story.advance(timedelta(minutes=21), timedelta(seconds=30))
        texts = {str(sent.message.uid.flow): sent.message.content["text"] for sent in story.provider.calls}
        assert texts == {old: "Hello Name0", new: "Bye Name0"}
        assert [story.flow(uid)["campaignVersion"] for uid in (old, new)] == [1, 2]


class TestOperating:
    def test_status_before_while_and_after(self, story: Story) -> None:
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

    def test_a_campaign_that_runs_is_not_started_twice(self, story: Story) -> None:
        story.set_up()
        url = f"/campaigns/{story.short_campaign(audience={'contactUids': story.contacts}, trigger={'type': 'api'})}"
        flow = story.expect(202, story.api.post(f"{url}/trigger"))["flowUid"]
        for route in ("launch", "trigger"):
            reply = story.api.post(f"{url}/{route}")
            assert (reply.status, reply.json["current"]) == (409, "RUNNING")
            assert flow in reply.json["message"]
        assert story.api.delete(url).json["current"] == "RUNNING"
        story.run()
        story.advance(timedelta(seconds=5))
        assert story.flow(flow)["trigger"] == "api"
        assert story.api.post(f"{url}/launch").status == 202

    def test_pause_resume_and_cancel_answer_and_refuse_by_state(self, story: Story) -> None:
        story.set_up()
        campaign = story.campaign(WAIT, story.send("a", channelUid=story.channel))
        url = f"/v1/campaigns/{campaign}"
        for route, current, allowed in [
            ("pause", "DRAFT", {"SCHEDULED", "RUNNING"}),
            ("resume", "DRAFT", {"PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE"}),
            ("cancel", "DRAFT", {"SCHEDULED", "RUNNING", "PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE"}),
        ]:
            reply = story.api.post(f"{url}/{route}")
            assert (reply.status, reply.json["current"], set(reply.json["allowed"])) == (409, current, allowed)
        story.expect(202, story.api.post(f"{url}/launch", {"contactUids": story.contacts}))
        story.run()
        assert story.api.post(f"{url}/resume").json["current"] == "RUNNING"
        paused = story.expect(200, story.api.post(f"{url}/pause"))
        assert (paused["status"], paused["inFlight"]) == ("PAUSED", 0)
        assert story.api.post(f"{url}/pause").json["current"] == "PAUSED"
        assert story.api.delete(url).status == 409
        cancelled = story.expect(200, story.api.post(f"{url}/cancel"))
        assert cancelled["status"] == "COMPLETED_PARTIAL"
        story.run()
        assert story.api.get(f"{url}/status").data["executions"]["skipped"] == 3
        assert story.api.post(f"{url}/cancel").status == 409
        assert story.api.delete(url).status == 200
        assert story.api.get(url).status == 404

    def test_whom_and_by_what_a_launch_needs_is_told_at_once(self, story: Story) -> None:
        story.set_up()
        campaign = story.campaign(story.send("a"))
        reply = story.api.post(f"/campaigns/{campaign}/launch")
        assert (reply.status, fields_of(reply)) == (422, ["audience", "channelUid"])
        body = {"contactUids": story.contacts, "channelUid": story.channel}
        assert story.api.post(f"/campaigns/{campaign}/launch", body).status == 202
        for audience in ({"contactUids": ["x"], "segmentUid": "y"}, {"segmentUid": "y"}, {"contactUids": []}):
            assert story.api.post(f"/campaigns/{story.short_campaign()}/trigger", audience).status == 422

    @pytest.mark.parametrize("availability", ["PENDING", "DEPRECATED", "INACTIVE", "BLOCKED"])
    def test_only_an_active_one_starts(self, story: Story, availability: str) -> None:
        story.set_up()
        campaign = story.short_campaign(availability=availability, audience={"contactUids": story.contacts})
        body = {"channelUid": story.channel, "campaignUid": campaign, "contactUids": story.contacts}
        for reply in (story.api.post("/flows", body), story.api.post(f"/campaigns/{campaign}/launch")):
            assert (reply.status, reply.json["current"], reply.json["allowed"]) == (409, availability, ["ACTIVE"])
        assert story.api.get("/flows").json["data"] == []

    def test_a_failed_flow_is_a_partly_completed_campaign(self, story: Story) -> None:
        story.set_up()
        story.provider.answer = lambda _: PermanentFailure("no")
        campaign = story.short_campaign(audience={"contactUids": story.contacts})
        story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))
        story.run()
        story.advance(timedelta(seconds=5))
        shown = story.api.get(f"/campaigns/{campaign}/status").data
        assert (shown["state"], shown["endReason"]) == ("COMPLETED_PARTIAL", "all_failed")

    def test_another_workspaces_campaign_is_not_there(self, story: Story) -> None:
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
