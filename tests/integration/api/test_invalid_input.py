"""What a careless or a hostile caller sends to flows and campaigns: the documented status, the field, the limit."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows.add_contacts import add_contacts
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid
from tests.integration.conftest import Api, Reply
from tests.integration.harness import Story, story

__all__ = ["story"]

ROUTES = [
    "GET /flows/{uid}", "PATCH /flows/{uid}", "DELETE /flows/{uid}", "POST /flows/{uid}/contacts",
    "POST /flows/{uid}/recount", "POST /flows/{uid}/retry", "GET /flows/{uid}/executions",
    "GET /flows/{uid}/executions/{uid}", "GET /campaigns/{uid}", "PATCH /campaigns/{uid}", "DELETE /campaigns/{uid}",
    "POST /campaigns/{uid}/validate", "POST /campaigns/{uid}/estimate", "POST /campaigns/{uid}/publish",
    "POST /campaigns/{uid}/launch", "POST /campaigns/{uid}/trigger", "POST /campaigns/{uid}/pause",
    "POST /campaigns/{uid}/resume", "POST /campaigns/{uid}/cancel", "GET /campaigns/{uid}/status",
    "GET /campaigns/{uid}/versions", "GET /campaigns/{uid}/versions/{uid}", "GET /campaigns/{uid}/graph",
    "POST /campaigns/{uid}/test-run", "GET /messages/{uid}", "GET /segments/{uid}", "PATCH /segments/{uid}",
    "DELETE /segments/{uid}",
]  # fmt: skip
BODIES: dict[str, object] = {
    "PATCH /flows/{uid}": {"description": "x"},
    "POST /flows/{uid}/contacts": {"contactUids": ["x"]},
    "POST /flows/{uid}/retry": {"of": "failed"},
    "POST /campaigns/{uid}/test-run": {"contactUid": "x"},
}
HOSTILE = [
    "nobody", "%00", "a%0Ab", "..%2F..", "%2e%2e", "%23META", "V%23000001", "a%7Cb", "x" * 64, "x" * 330, "x" * 4_000,
    "%F0%9F%92%A9", "%ED%A0%80", "%ff", "a%20b", "'%20OR%201=1", "$%7Bjndi%7D", "%3Cscript%3E", "-", "_", "0",
]  # fmt: skip


def fields_of(reply: Reply) -> list[str]:
    return sorted(detail["field"] for detail in reply.json["details"])


def new_flow(story: Story, **changes: Any) -> dict[str, Any]:
    body = {"channelUid": story.channel, "campaignUid": story.short_campaign(), "contactUids": story.contacts}
    return {**body, **changes}


@pytest.mark.parametrize("uid", HOSTILE)
def test_an_id_that_nobody_has_is_a_404_on_every_route(api: Api, uid: str) -> None:
    for route in ROUTES:
        method, path = route.split(" ")
        reply = api.call(method, "/v1" + path.replace("{uid}", uid), BODIES.get(route))
        assert (reply.status, reply.json["error"]) == (404, "not_found"), route
        assert len(reply.text) < 600


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"channelUid": "nope", "campaignUid": "nope", "contactUids": ["nope"]},
         ["campaignUid", "channelUid", "contactUids"]),
        ({"contactUids": ["a", "b", "a"]}, ["contactUids", "contactUids"]),
        ({"contactUids": []}, ["contactUids"]),
        ({"contactUids": None}, ["body"]),
        ({"segmentUid": "s"}, ["body"]),
        ({"contactUids": None, "segmentUid": "s"}, ["segmentUid"]),
        ({"contactUids": "abc"}, ["contactUids"]),
        ({"contactUids": [1, "a b", "x" * 65]}, ["contactUids[0]", "contactUids[1]", "contactUids[2]"]),
        ({"campaignUid": "a/b", "channelUid": "", "status": "paused"}, ["campaignUid", "channelUid", "status"]),
        ({"description": "x" * 2_001}, ["description"]),
        ({"description": "bell \x07"}, ["description"]),
        ({"color": "red", "uid": "mine", "contactCount": 5}, ["color", "contactCount", "uid"]),
        ({"configuration": {"maxConcurrentMessages": 0}}, ["configuration.maxConcurrentMessages"]),
        ({"configuration": {"maxConcurrentMessages": 11}}, ["configuration.maxConcurrentMessages"]),
        ({"configuration": {"pauseBetweenContactsMs": -1, "retryDelayMs": 1.5, "timeoutMs": "50", "maxRetries": True}},
         ["configuration.maxRetries", "configuration.pauseBetweenContactsMs", "configuration.retryDelayMs",
          "configuration.timeoutMs"]),
        ({"configuration": {"pauseBetweenContactsMs": 1000, "pauseBetweenContactsSaltMs": 1001}}, ["configuration"]),
        ({"configuration": {"pauseMs": 5}}, ["configuration.pauseMs"]),
        ({"configuration": {"pauseBetweenContactsMs": 10**30}}, ["configuration.pauseBetweenContactsMs"]),
        ({"configuration": []}, ["configuration"]),
    ],
)  # fmt: skip
def test_each_fault_of_a_new_flow_is_named_and_nothing_is_kept(
    story: Story, changes: dict[str, Any], fields: list[str]
) -> None:
    story.set_up()
    reply = story.api.post("/flows", new_flow(story, **changes))
    assert (reply.status, reply.json["error"], fields_of(reply)) == (422, "validation_error", fields), reply.text
    assert story.api.get("/flows").json["data"] == []
    story.run()
    assert story.provider.calls == []


def test_limits_are_named(story: Story) -> None:
    story.set_up()
    for configuration, limit in [
        ({"maxConcurrentMessages": 11}, "10"), ({"maxConcurrentMessages": 0}, "1"), ({"maxRetries": 21}, "20"),
        ({"pauseBetweenContactsMs": 86_400_001}, "86400000"), ({"timeoutMs": 999}, "1000"),
    ]:  # fmt: skip
        reply = story.api.post("/flows", new_flow(story, configuration=configuration))
        assert limit in reply.json["details"][0]["message"]
    many = story.api.post("/flows", new_flow(story, contactUids=[f"c{n}" for n in range(10_001)]))
    assert (many.status, fields_of(many)) == (422, ["contactUids"])
    assert "10000" in many.json["details"][0]["message"].replace(",", "")


def test_what_is_no_json_is_a_400_and_no_json_type_a_415(story: Story) -> None:
    story.set_up()
    good = json.dumps(new_flow(story)).encode()
    for body in (
        b"{", good[:-1], b'{"contactUids": [NaN]}', b'{"configuration": {"maxRetries": Infinity}}',
        b"[" * 50_000, good.replace(b'{"', b'{"description": "\\ud83d", "', 1), good + b"x", b"\xff\xfe",
        good.replace(b'{"', b'{"description": "\xc3(", "', 1),
        good.replace(b'{"', b'{"status": "draft", "status": "queued", "', 1),
    ):  # fmt: skip
        for method, url in (("POST", "/flows"), ("POST", "/campaigns"), ("PATCH", "/flows/x")):
            reply = story.api.call(method, url, body)
            assert (reply.status, reply.json["error"]) == (400, "malformed_request"), body[:60]
    assert story.api.post("/flows", good, headers={"Content-Type": "text/plain"}).status == 415
    assert story.api.post("/campaigns", {"name": "x", "description": "x" * 1_100_000}).status == 413
    assert story.api.get("/flows").json["data"] == []


def test_duplicates_are_removed_and_counted(story: Story) -> None:
    story.set_up()
    made = story.expect(201, story.api.post("/flows", new_flow(story, contactUids=story.contacts * 3)))
    assert (made["contactCount"], made["metadata"]["duplicatesRemoved"]) == (3, 6)
    story.run()
    story.advance(timedelta(seconds=5))
    assert len(story.provider.calls) == 3


def test_up_to_1000_unknown_contacts_are_listed_and_more_are_skipped(story: Story) -> None:
    story.set_up()
    unknown = [f"ghost-{n}" for n in range(1_001)]
    refused = story.api.post("/flows", new_flow(story, contactUids=story.contacts + unknown[:1_000]))
    assert (refused.status, len(refused.json["details"])) == (422, 1_000)
    assert "ghost-999" in refused.text
    flow = story.expect(201, story.api.post("/flows", new_flow(story, contactUids=story.contacts + unknown)))["uid"]
    story.run()
    story.advance(timedelta(seconds=5))
    shown = story.flow(flow)
    assert (shown["status"], shown["stats"]["completed"], shown["stats"]["skipped"]) == ("partial_completed", 3, 1_001)
    assert shown["metadata"]["skipReasons"] == {"contact_not_found": 1_001}


def test_a_channel_must_be_there_and_fit(story: Story) -> None:
    story.set_up()
    other = story.api.post("/v1/channels", {"name": "B", "type": "console"}).data["uid"]
    reply = story.api.post("/flows", new_flow(story, channelUid=other))
    assert (reply.status, fields_of(reply)) == (422, ["channelUid"])
    assert story.channel in reply.text
    email = {"name": "E", "type": "email", "settings": {}}
    mail = story.add_template("x", channelType="console")
    assert story.api.post("/v1/channels", email).status in {201, 422}
    steps = story.campaign({"id": "a", "type": "SEND", "templateUid": mail})
    inactive = story.api.post("/v1/channels", {"name": "C", "type": "console", "active": False}).data["uid"]
    refused = story.api.post("/flows", new_flow(story, campaignUid=steps, channelUid=inactive))
    assert (refused.status, fields_of(refused)) == (422, ["campaign.steps[0].channelUid"])


class TestMoreContacts:
    def test_they_are_added_once_each_while_it_is_draft_or_queued(self, story: Story) -> None:
        story.set_up(contacts=5)
        flow = story.start(story.short_campaign(), story.contacts[:2], status="draft")
        url = f"/flows/{flow}/contacts"
        wish = [*story.contacts[1:4], story.contacts[3]]
        added = story.expect(200, story.api.post(url, {"contactUids": wish}))
        assert added == {"uid": flow, "contactCount": 4, "added": 2, "duplicatesRemoved": 2}
        story.set_status(flow, "queued")
        assert story.api.post(f"/v1{url}", {"contactUids": story.contacts[4:]}).data["contactCount"] == 5
        story.run()
        late = story.api.post(url, {"contactUids": story.contacts[:1]})
        assert (late.status, late.json["allowed"]) == (409, ["draft", "queued"])
        story.advance(timedelta(seconds=5))
        shown = story.flow(flow)
        assert (shown["status"], shown["stats"]["sent"]) == ("completed", 5)
        assert shown["metadata"]["duplicatesRemoved"] == 2
        assert story.api.post(url, {"contactUids": story.contacts[:1]}).json["current"] == "completed"

    def test_unknown_none_and_too_many_are_refused(self, story: Story) -> None:
        story.set_up()
        flow = story.start(story.short_campaign(), status="draft")
        for body, fields in [
            ({"contactUids": ["nope", "nada"]}, ["contactUids", "contactUids"]),
            ({"contactUids": []}, ["contactUids"]),
            ({"contactUids": [f"c{n}" for n in range(10_001)]}, ["contactUids"]),
            ({}, ["contactUids"]),
            ({"contactUids": ["x"], "segmentUid": "y"}, ["segmentUid"]),
        ]:
            reply = story.api.post(f"/flows/{flow}/contacts", body)
            assert (reply.status, fields_of(reply)) == (422, fields)
        assert story.flow(flow)["contactCount"] == 3

    def test_many_callers_at_once_lose_nobody(self, story: Story) -> None:
        story.set_up(contacts=1)
        uids = [f"person-{n}" for n in range(40)]
        for uid in uids:
            contact = Contact(uid=uid, created_at=story.now, updated_at=story.now, email=f"{uid}@example.com")
            story.world.ports.contacts.add(story.api.workspace, contact)
        assert len(story.world.ports.contacts.find_many(story.api.workspace, [ContactUid(u) for u in uids], True)) == 40
        template = story.add_template("Hello")
        flow = story.start(story.short_campaign(templateUid=template), status="draft")

        def add(start: int) -> int:
            return add_contacts(story.world.ports, story.api.workspace, flow, tuple(uids[start : start + 10])).added

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(add, range(0, 40, 10))) == [10] * 4
        assert story.flow(flow)["contactCount"] == 41
        story.set_status(flow, "running")
        story.run()
        story.advance(timedelta(seconds=5))
        assert (story.flow(flow)["status"], len(story.provider.calls)) == ("completed", 41)


def test_an_error_never_outgrows_what_lambda_may_answer(story: Story) -> None:
    story.set_up()
    wide = {f"f{n}": 0 for n in range(80_000)}
    flow = story.start(story.short_campaign(), status="draft")
    replies = [
        story.api.post("/flows", wide),
        story.api.post("/campaigns", wide),
        story.api.patch(f"/flows/{flow}", {"configuration": wide}),
        story.api.post("/flows", new_flow(story, contactUids=["é" * 3] * 10_000)),
    ]
    for reply in replies:
        assert reply.status == 422
        assert len(reply.text.encode()) < 2_000_000
    deep = {"name": "x", "steps": [{"id": f"s{n}", "type": "SEND", "x": 1, "y": 2} for n in range(1_000)]}
    campaign = story.expect(201, story.api.post("/campaigns", deep))["uid"]
    found = story.api.post(f"/campaigns/{campaign}/validate")
    assert (found.status, len(found.text) < 2_000_000) == (200, True)
    assert any("200 steps" in error["message"] for error in found.data["errors"])
    assert story.api.post("/campaigns", {"name": "x", "steps": [1] * 1_001}).status == 422


def test_strange_names_are_kept_as_they_are_or_refused(story: Story) -> None:
    story.set_up()
    for name in ("Ω🎉 ñ", '"><script>alert(1)</script>', "*", "**", "a\tb", "'; DROP TABLE", "\N{RIGHT-TO-LEFT MARK}x"):
        uid = story.short_campaign(name=name)
        assert story.api.get(f"/campaigns/{uid}").data["name"] == name
        assert story.api.get(f"/campaigns/{uid}/graph").status == 200
    for name in ("a\x00b", "\x1b[31m", "", "x" * 201, 5, None):
        assert story.api.patch(f"/campaigns/{uid}", {"name": name, "trigger": {}}).status == 422, name
    assert story.api.get("/campaigns?name=%00%ff%2A").json["data"] == []


def test_unknown_query_parameters_are_named_on_every_list(story: Story) -> None:
    story.set_up()
    flow = story.start(story.short_campaign())
    for url in (
        "/flows", "/campaigns", f"/flows/{flow}/executions", f"/flows/{flow}", "/v1/messages",
        f"/campaigns/{story.short_campaign()}/versions",
    ):  # fmt: skip
        reply = story.api.get(f"{url}?colour=red")
        assert (reply.status, fields_of(reply)) == (422, ["colour"]), url
