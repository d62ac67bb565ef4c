"""Routes of segments: rejected requests, estimates and scopes."""

import time
from datetime import timedelta

import pytest

from chalicelib.core.launching.estimate_campaign import SAMPLE
from chalicelib.model.workspace import Scope
from tests.builders import ab_test, condition
from tests.integration.conftest import Api, Reply
from tests.integration.flows.test_enrol_segment import add_people, new_segment
from tests.integration.harness import Story, story

__all__ = ["story"]
VIP = {"tag": "vip"}


def fields_of(reply: Reply) -> list[str]:
    return sorted(detail["field"] for detail in reply.json["details"])


def messages_of(reply: Reply) -> str:
    return " ".join(detail["message"] for detail in reply.json["details"])


def _nested(depth: int) -> object:
    written: object = VIP
    for _ in range(depth - 1):
        written = {"not": written}
    return written


class TestRefused:
    def test_every_problem_is_told_at_once_with_its_path(self, api: Api) -> None:
        written = {
            "all": [
                {"message": "hello", "is": "opened"}, {"property": "total", "op": "gt", "value": 1}, {"colour": "red"},
                {"field": "nope", "value": 1}, {"field": "attributes.x", "op": "gt", "value": "five"},
                {"field": "email", "op": "like", "value": "x"}, {"tag": 5}, {"tag": "x", "op": "gt", "value": 1},
                {"tag": "x", "op": "eq", "value": "yes"}, {"any": []}, {"not": [{"event": "a b"}, VIP, {"event": 5}]},
                {"event": "a", "op": "gte", "value": 1.5}, {"event": "a", "op": "gte", "value": 2_000},
                {"event": "a", "op": "gte", "value": 1, "times": 2}, {"event": "a", "within": "P2Y"},
                {"event": "a", "where": {"tag": "vip"}}, {"consent": "email", "op": "eq", "value": "MAYBE"},
                {"consent": "email", "op": "in", "value": "GRANTED"}, {"tag": "x", "value": True}, 7, None, [],
                {"field": "email", "op": "eq", "value": "x", "extra": 1},
            ]
        }  # fmt: skip
        reply = api.post("/v1/segments", {"name": "", "filter": written, "color": 1})
        assert reply.status == 422
        at, whole = "filter.all", (0, 1, 2, 3, 4, 7, 8, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21)
        assert fields_of(reply) == sorted(
            ["color", "name", *(f"{at}[{number}]" for number in whole), f"{at}[5].op", f"{at}[6].tag", f"{at}[9].any",
             f"{at}[10].not[0].event", f"{at}[10].not[2].event", f"{at}[14].within", f"{at}[22].extra"]
        )  # fmt: skip
        assert "belong to the steps of a campaign" in messages_of(reply)
        assert api.get("/v1/segments").json["data"] == []

    @pytest.mark.parametrize("route", ["/v1/segments", "/v1/segments/preview"])
    @pytest.mark.parametrize(
        ("written", "limit"),
        [
            ({"any": [VIP] * 101}, "100"),
            ({"any": [{"any": [VIP] * 50}, {"all": [VIP] * 51}]}, "100"),
            (_nested(9), "8"),
            ({"all": [{"event": "a", "where": {"any": [{"property": "x", "value": 1}] * 101}}]}, "100"),
            ({"all": [{"event": "a", "where": {"any": [{"property": "x", "value": 1}] * 50}}] * 2}, "100"),
        ],
    )
    def test_too_much_is_refused_with_the_limit(self, api: Api, route: str, written: object, limit: str) -> None:
        body = {"filter": written} | ({"name": "x"} if route == "/v1/segments" else {})
        reply = api.post(route, body)
        assert reply.status == 422
        assert all(field.startswith("filter") for field in fields_of(reply))
        assert limit in messages_of(reply)

    def test_as_much_as_is_allowed_is_taken(self, api: Api) -> None:
        for written in ({"any": [VIP] * 100}, _nested(8)):
            assert api.post("/v1/segments", {"name": "x", "filter": written}).status == 201
            assert api.post("/v1/segments/preview", {"filter": written}).status == 200

    def test_hostile_filters_cost_little_and_never_a_fault(self, api: Api) -> None:
        deep: object = VIP
        for _ in range(25):
            deep = {"all": [deep]}
        wide = {"all": [{"any": [VIP] * 100}] * 90}
        long = {"field": "attributes.x", "op": "in", "value": ["x" * 50] * 2_000}
        strange = [
            deep, wide, {"all": [wide]}, {"all": {"all": {}}}, {"not": []}, {"not": [[]]}, {"not": None}, "x", 1, [],
            {"all": [{"event": "a", "where": {"any": [{"property": "x", "value": n} for n in range(9)]}}] * 12},
            {}, {"field": "__class__"}, {"field": "attributes.__class__", "op": "exists"}, {"tag": ""},
            {"tag": "x" * 65},
            {"field": "attributes.a", "op": "contains", "value": ["x"]}, {"event": "message.opened"}, long,
            {"field": "attributes.a", "op": "within", "within": "P1D"}, {"field": "attributes.a", "within": "P1D"},
            {"all": [VIP], "any": [VIP]}, {"tag": "x", "field": "email"}, {"field": "email", "value": {"$gt": ""}},
            {"field": "attributes.a", "op": "eq", "value": 10**400},
            {"field": "attributes.a", "op": "gt", "value": True},
        ]  # fmt: skip
        for written in strange:
            began = time.process_time()
            reply = api.post("/v1/segments/preview", {"filter": written})
            spent = time.process_time() - began
            assert reply.status in {200, 413, 422}, (reply.status, str(written)[:80], reply.text[:200])
            assert spent < 0.2 or reply.status == 200, (spent, str(written)[:80])
        assert api.post("/v1/segments", {"name": "x", "filter": {"all": [long] * 3}}).status == 413


class TestEstimate:
    def test_of_a_segment_with_each_exclusion_by_name(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 20, tags=("vip",))
        add_people(story, 5, "other")
        changes = [
            {"status": "BLOCKED"},
            {"consent": {"console": {"MESSAGE": "REVOKED"}}},
            {"firstName": None},
            {"email": None},
        ]
        for number, change in enumerate(changes):
            story.expect(200, story.api.patch(f"/v1/contacts/p{number}", change))
        campaign = story.short_campaign(audience={"segmentUid": new_segment(story, VIP)})
        estimate = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate"))
        reasons = {"contact_blocked": 1, "consent_revoked": 1, "missing_template_parameter": 1, "no_address": 1}
        assert (estimate["matched"], estimate["unreachable"], estimate["reachableContacts"]) == (20, reasons, 16)
        assert estimate["excluded"] == {"send": reasons}
        assert (estimate["reachable"], estimate["sample"]) == ({story.channel: 16}, None)

    def test_splits_count_by_weight_and_by_what_earlier_flows_did(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 10, tags=("vip",))
        add_people(story, 30, "q")
        steps = [
            ab_test("split", A=[story.send("a")], B=[]),
            condition("lucky", VIP, [story.send("yes")], []),
            story.send("all"),
        ]
        audience = {"segmentUid": new_segment(story, {"field": "status", "value": "ACTIVE"})}
        campaign = story.campaign(*steps, audience=audience, configuration={"pauseBetweenContactsMs": 1000})
        url, body = f"/v1/campaigns/{campaign}", {"channelUid": story.channel}
        before = story.expect(200, story.api.post(f"{url}/estimate", body))
        assert before["messages"]["total"] == 20 + 20 + 40
        assert before["estimatedCompletionAt"] == "2026-03-02T09:01:20.000Z"
        story.expect(200, story.api.patch(url, {"configuration": {"pauseBetweenContactsMs": 0}}))
        story.expect(202, story.api.post(f"{url}/launch", body))
        story.advance(timedelta(seconds=5))
        after = story.expect(200, story.api.post(f"{url}/estimate", body))
        assert after["messages"]["total"] == 20 + 10 + 40

    @pytest.mark.parametrize(
        ("limits", "pause", "end"),
        [
            ({}, 0, None),
            ({"ratePerSecond": 0.5}, 0, "2026-03-02T09:01:00.000Z"),
            ({"ratePerSecond": 0.5}, 1_000, "2026-03-02T09:01:00.000Z"),
            ({"ratePerSecond": 0.5}, 4_000, "2026-03-02T09:02:00.000Z"),
            ({"dailyCap": 12}, 0, "2026-03-04T00:00:00.000Z"),
            ({"dailyCap": 12, "ratePerSecond": 0.5}, 0, "2026-03-04T00:00:12.000Z"),
            ({"dailyCap": 12, "ratePerSecond": 0.5}, 60_000, "2026-03-04T00:06:00.000Z"),
        ],
    )
    def test_the_end_is_that_of_the_slowest_of_pacing_rate_and_daily_cap(
        self, story: Story, limits: dict[str, object], pause: int, end: str | None
    ) -> None:
        story.set_up(contacts=30)
        story.expect(200, story.api.put(f"/v1/channels/{story.channel}", {"name": "C", "type": "console", **limits}))
        paced = {"configuration": {"pauseBetweenContactsMs": pause}}
        campaign = story.short_campaign(audience={"contactUids": story.contacts}, **paced)
        estimate = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate"))
        assert estimate["estimatedCompletionAt"] == end

    def test_what_others_have_taken_of_a_channel_comes_first(self, story: Story) -> None:
        story.set_up(contacts=10)
        limits = {"dailyCap": 15, "ratePerSecond": 1}
        story.expect(200, story.api.put(f"/v1/channels/{story.channel}", {"name": "C", "type": "console", **limits}))
        story.start(story.short_campaign())
        story.advance(timedelta(seconds=20))
        assert len(story.provider.calls) == 10
        campaign = story.short_campaign(audience={"contactUids": story.contacts})
        estimate = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate"))
        assert estimate["estimatedCompletionAt"] == "2026-03-03T00:00:05.000Z"

    def test_of_a_large_list_a_sample_is_looked_at(self, story: Story) -> None:
        story.set_up(contacts=0)
        people = add_people(story, SAMPLE + 500)
        campaign = story.short_campaign(audience={"contactUids": [*people, *(f"ghost{n}" for n in range(500))]})
        estimate = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/estimate"))
        sample = estimate["sample"]
        assert (estimate["matched"], sample["contacts"], sample["matchedError"]) == (2_000, 1_000, 0)
        assert abs(estimate["reachableContacts"] - 1_500) <= sample["reachableError"] < 80
        assert abs(estimate["notFound"] - 500) <= sample["reachableError"]

    def test_a_segment_that_is_not_there_is_named(self, story: Story) -> None:
        story.set_up()
        campaign = story.short_campaign(audience={"segmentUid": "nope"})
        reply = story.api.post(f"/v1/campaigns/{campaign}/estimate")
        assert (reply.status, fields_of(reply)) == (422, ["audience.segmentUid"])


def test_a_read_key_may_look_and_not_write(story: Story) -> None:
    uid = new_segment(story, VIP)
    reader = story.world.key_for(story.api.workspace, Scope.READ)
    assert reader.get(f"/v1/segments/{uid}").status == 200
    assert reader.post("/v1/segments/preview", {"segmentUid": uid}).status == 200
    writes = [
        reader.post("/v1/segments", {}),
        reader.patch(f"/v1/segments/{uid}", {}),
        reader.delete(f"/v1/segments/{uid}"),
    ]
    assert [reply.status for reply in writes] == [403] * 3
