"""Campaigns that branch: by what a contact did and is, by chance, with tags that end up on the record."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.flows.progress import difference
from chalicelib.model.execution import DeliveryReceipt, Engagement, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import ContactUid, FlowUid, NodeId, new_uid
from tests.builders import ab_test, condition, end, tag, wait
from tests.integration.harness import Story, story

__all__ = ["story"]
HALF_HOUR = timedelta(minutes=30)
OPENED = {"message": "hello", "is": "opened"}
VIP = {"tag": "vip"}


def _hear(story: Story, flow_uid: str, contact: str, node: str, engagement: Engagement) -> None:
    """The provider reports something of a message."""
    ports, workspace, uid = story.world.ports, story.api.workspace, FlowUid(flow_uid)
    flow = ports.catalog.get(workspace, Flow, uid)
    key = ExecutionKey(workspace, uid, ContactUid(contact))
    changed = ports.executions.put_receipt(key, flow.shards, NodeId(node), DeliveryReceipt(engagement, story.now))
    assert changed
    ports.statistics.record_batch(workspace, uid, flow.stats_epoch, new_uid(), difference(*changed))


def _recounted(story: Story, flow: str) -> Any:
    return story.expect(200, story.api.post(f"/flows/{flow}/recount"))["stats"]


def _comparable(stats: Any) -> Any:
    return {name: value for name, value in stats.items() if name not in {"estimatedCompletionAt", "messagesPerMinute"}}


def _tags(story: Story, contact: str) -> list[str]:
    return list(story.expect(200, story.api.get(f"/v1/contacts/{contact}"))["tags"])


def _way(shown: Any) -> dict[str, str | None]:
    return {each["nodeId"]: each["exit"] for each in shown["history"]}


def _begin(story: Story, contacts: int, opened: int) -> tuple[str, str]:
    """Start the example; all contacts wait, and the first ones have opened the first message."""
    story.set_up(contacts)
    campaign = story.campaign(*story.example())
    flow = story.start(campaign)
    story.advance(timedelta(seconds=5))
    assert len(story.provider.calls) == contacts
    story.advance(timedelta(hours=20), step=HALF_HOUR)
    for number, contact in enumerate(story.contacts[:opened]):
        _hear(story, flow, contact, "hello", Engagement.CLICKED if number == 0 else Engagement.OPENED)
    for contact in story.contacts[opened:]:
        _hear(story, flow, contact, "hello", Engagement.DELIVERED)
    return campaign, flow


def _finish(story: Story, flow: str) -> Any:
    story.advance(timedelta(hours=29), step=HALF_HOUR)
    story.advance(timedelta(minutes=2), step=timedelta(seconds=10))
    return story.flow(flow)


def test_the_example_branches_as_its_contacts_did(story: Story) -> None:
    campaign, flow = _begin(story, contacts=12, opened=5)
    shown = _finish(story, flow)
    assert shown["status"] == "completed", shown
    status = story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))
    assert (status["state"], status["executions"]["completed"]) == ("COMPLETED", 12)
    assert set(story.provider.times_called().values()) == {1}
    reminded = Counter(sent.message.uid.contact for sent in story.provider.calls if sent.message.uid.node == "remind")
    assert reminded == Counter(story.contacts[5:])
    assert [_tags(story, contact) for contact in story.contacts] == [["engaged"]] * 5 + [[]] * 7


def test_statistics_per_node_and_lane_equal_a_recount(story: Story) -> None:
    _, flow = _begin(story, contacts=12, opened=5)
    waiting = story.flow(flow)["stats"]
    assert waiting["nodes"]["pause"] == {"entered": 12, "here": 12, "left": {}}
    assert _comparable(_recounted(story, flow)) == _comparable(waiting)
    stats = _finish(story, flow)["stats"]
    nodes = stats["nodes"]
    assert nodes["opened"] == {"entered": 12, "here": 0, "left": {"yes": 5, "no": 7}}
    assert nodes["mark"] == {"entered": 5, "here": 0, "left": {"next": 5}}
    assert (nodes["remind"]["sent"], nodes["remind"]["left"]) == (7, {"next": 7})
    assert (nodes["hello"]["sent"], nodes["hello"]["opened"], nodes["hello"]["clicked"]) == (12, 5, 1)
    lanes = Counter(_way(story.execution(flow, contact))["which"] for contact in story.contacts)
    split = nodes["which"]
    assert (split["entered"], split["here"], split["left"]) == (12, 0, dict(lanes))
    assert nodes["done"]["entered"] == 12
    assert (stats["total"], stats["completed"], stats["sent"]) == (12, 12, 19)
    assert _comparable(_recounted(story, flow)) == _comparable(stats)


def test_the_inspector_shows_which_lane_and_which_comparison_decided(story: Story) -> None:
    _, flow = _begin(story, contacts=2, opened=1)
    _finish(story, flow)
    opened, other = (story.execution(flow, contact) for contact in story.contacts)
    assert list(_way(opened)) == ["hello", "pause", "opened", "mark", "which", "done"]
    assert list(_way(other)) == ["hello", "pause", "opened", "remind", "which", "done"]
    whys = [
        {each["nodeId"]: (each["exit"], each["why"]) for each in shown["history"]}["opened"]
        for shown in (opened, other)
    ]
    assert whys == [("yes", "message hello is opened"), ("no", "no other lane")]
    assert {each["why"] for each in opened["history"] if each["nodeId"] != "opened"} == {None}


def test_who_opened_only_after_the_decision_keeps_the_lane_that_was_taken(story: Story) -> None:
    _, flow = _begin(story, contacts=1, opened=0)
    _finish(story, flow)
    _hear(story, flow, story.contacts[0], "hello", Engagement.OPENED)
    story.advance(timedelta(minutes=5), step=timedelta(minutes=1))
    assert _way(story.execution(flow, story.contacts[0]))["opened"] == "no"
    assert _tags(story, story.contacts[0]) == []


def test_a_pause_while_everybody_waits_changes_no_lane(story: Story) -> None:
    _, flow = _begin(story, contacts=4, opened=2)
    story.set_status(flow, "paused")
    story.advance(timedelta(hours=40), step=HALF_HOUR)
    story.set_status(flow, "running")
    assert _finish(story, flow)["status"] == "completed"
    assert [_tags(story, contact) for contact in story.contacts] == [["engaged"]] * 2 + [[]] * 2
    assert set(story.provider.times_called().values()) == {1}


def test_the_same_contact_takes_the_same_lane_in_every_flow(story: Story) -> None:
    story.set_up(contacts=20)
    campaign = story.campaign(ab_test("which", A=[tag("a", "is-a")], B=[tag("b", "is-b")]), story.send("hello"))
    ways = []
    for _ in range(2):
        flow = story.start(campaign)
        story.advance(timedelta(seconds=10))
        assert story.flow(flow)["status"] == "completed"
        ways.append([_way(story.execution(flow, contact))["which"] for contact in story.contacts])
    assert ways[0] == ways[1]
    assert set(ways[0]) == {"A", "B"}
    assert [_tags(story, contact) for contact in story.contacts] == [[f"is-{lane.lower()}"] for lane in ways[0] if lane]


def test_what_is_changed_about_a_contact_while_it_waits_decides(story: Story) -> None:
    story.set_up(contacts=2)
    steps = [wait("pause", "PT1H"), condition("c", VIP, [end("stop")], [story.send("hello")])]
    flow = story.start(story.campaign(*steps))
    story.advance(timedelta(minutes=30), step=timedelta(minutes=5))
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"tags": ["vip"]}))
    story.advance(timedelta(minutes=32), step=timedelta(minutes=1))
    assert story.provider.recipients() == ["c1@example.com"]
    assert story.flow(flow)["status"] == "completed"


def test_until_a_time_of_day_is_where_each_contact_lives(story: Story) -> None:
    story.set_up(contacts=3)
    for contact, zone in zip(story.contacts, ["Europe/Berlin", "America/New_York", "Mars/Olympus"], strict=True):
        saved = story.api.patch(f"/v1/contacts/{contact}", {"timezone": zone})
        assert saved.status == 200 or zone.startswith("Mars")
    flow = story.start(story.campaign({"id": "w", "type": "WAIT", "localTime": "18:00"}, story.send("hello")))
    story.advance(timedelta(seconds=5))
    wakes = [story.execution(flow, contact)["wakeAt"] for contact in story.contacts]
    assert wakes == ["2026-03-02T17:00:00.000Z", "2026-03-02T23:00:00.000Z", "2026-03-02T18:00:00.000Z"]


HOSTILE = ["a.b", "x>y", "in@home 5", "left.next", "#entry", "é" * 50, "😀", '"quoted" | \\']


def test_odd_labels_come_back_as_they_were_written(story: Story) -> None:
    story.set_up(contacts=len(HOSTILE))
    for contact, number in zip(story.contacts, range(len(HOSTILE)), strict=True):
        story.expect(200, story.api.patch(f"/v1/contacts/{contact}", {"attributes": {"n": number}}))
    lanes = [
        {"label": label, "when": {"field": "attributes.n", "value": number}, "steps": [wait(f"w{number}", "PT5S")]}
        for number, label in enumerate(HOSTILE)
    ]
    flow = story.start(story.campaign({"id": "c", "type": "CONDITION", "lanes": lanes}, story.send("hello")))
    story.advance(timedelta(seconds=30))
    shown = story.flow(flow)
    assert shown["status"] == "completed", shown
    assert shown["stats"]["nodes"]["c"]["left"] == dict.fromkeys(HOSTILE, 1)
    assert [_way(story.execution(flow, contact))["c"] for contact in story.contacts] == HOSTILE


class TestTestRun:
    def _run(self, story: Story, campaign: str, contact: str) -> Any:
        body = {"contactUid": contact, "channelUid": story.channel}
        return story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/test-run", body))

    def test_it_walks_the_branches_and_says_why(self, story: Story) -> None:
        story.set_up(contacts=1)
        run = self._run(story, story.campaign(*story.example()), story.contacts[0])
        way = [(each["nodeId"], each["exit"], each["why"]) for each in run["path"]]
        assert way[:4] == [
            ("hello", "next", None),
            ("pause", "next", None),
            ("opened", "no", "no other lane"),
            ("remind", "next", None),
        ]
        assert (way[4][0], run["endsAt"]) == ("which", "2026-03-04T09:00:00.000Z")
        assert run["status"] == "completed"

    def test_it_takes_the_lane_of_the_contact_and_changes_nothing(self, story: Story) -> None:
        story.set_up(contacts=2)
        story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"tags": ["vip"]}))
        steps = [
            condition("c", VIP, [tag("mark", "seen")], []),
            condition("again", {"tag": "seen"}, [story.send("hello")], []),
        ]
        campaign = story.campaign(*steps)
        ways = [[e["nodeId"] for e in self._run(story, campaign, contact)["path"]] for contact in story.contacts]
        assert ways == [["c", "mark", "again", "hello"], ["c", "again"]]
        assert _tags(story, story.contacts[0]) == ["vip"]
        assert story.provider.calls == []

    def test_it_takes_the_split_that_the_flow_will_take(self, story: Story) -> None:
        story.set_up(contacts=8)
        campaign = story.campaign(ab_test("which", A=[], B=[]), story.send("hello"))
        foreseen = [self._run(story, campaign, contact)["path"][0]["exit"] for contact in story.contacts]
        flow = story.start(campaign)
        story.advance(timedelta(seconds=10))
        assert [_way(story.execution(flow, contact))["which"] for contact in story.contacts] == foreseen


def test_validate_names_nested_problems_by_field_and_step(story: Story) -> None:
    story.set_up()
    broken = {"id": "ab", "type": "AB_TEST", "lanes": [{"label": "A", "weight": 70}, {"label": "B", "weight": 70}]}
    steps = [
        story.send("hello", channelUid=story.channel),
        condition("c", OPENED, [tag("ok", "x"), wait("bad", "P400D"), 7], [broken, {"id": "x", "type": "TAG"}]),
        condition("d", {"message": "later", "is": "opened"}, [story.send("lost", channelUid="nowhere")], []),
        story.send("later", channelUid=story.channel),
        {"id": "e", "type": "END", "lanes[0].steps[0]": 1},
    ]
    found = story.expect(200, story.api.post(f"/v1/campaigns/{story.campaign(*steps)}/validate"))
    assert found["valid"] is False
    assert {(error["stepId"], error["field"]) for error in found["errors"] if "steps[4]" not in error["field"]} == {
        ("bad", "steps[1].lanes[0].steps[1].for"),
        (None, "steps[1].lanes[0].steps[2]"),
        ("ab", "steps[1].lanes[1].steps[0]"),
        ("x", "steps[1].lanes[1].steps[1]"),
        ("d", "steps[2].lanes[0].when"),
        ("lost", "steps[2].lanes[0].steps[0].channelUid"),
    }
    assert any("steps[4]" in error["field"] for error in found["errors"])


def test_a_moment_that_has_passed_in_a_lane_is_a_warning_and_passes_at_once(story: Story) -> None:
    story.set_up(contacts=1)
    over = {"id": "w", "type": "WAIT", "until": "2026-03-01T09:00:00Z"}
    campaign = story.campaign(condition("c", VIP, [], [over]), story.send("hello", channelUid=story.channel))
    found = story.expect(200, story.api.post(f"/v1/campaigns/{campaign}/validate"))
    assert (found["valid"], [(each["stepId"], each["field"]) for each in found["warnings"]]) == (
        True,
        [("w", "steps[0].lanes[1].steps[0].until")],
    )
    flow = story.start(campaign)
    story.advance(timedelta(seconds=5))
    assert story.flow(flow)["status"] == "completed"


@pytest.mark.parametrize(
    "step",
    [
        {"id": "w", "type": "WAIT", "until": "9999-12-31T23:59:59-01:00"},
        condition("c", {"field": "createdAt", "op": "before", "value": "9999-12-31T23:59:59-01:00"}, [], []),
        {"id": "c", "type": "CONDITION", "lanes": [{"label": "a\x1fb", "when": VIP}, {"label": "no"}]},
        condition("c", {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": VIP}}}}}}}}, [], []),
    ],
    ids=["a moment outside of the calendar", "compared with one", "a control character", "too deep"],
)
def test_hostile_steps_are_refused_and_no_fault(story: Story, step: dict[str, Any]) -> None:
    story.set_up()
    written = story.api.post("/v1/campaigns", {"name": "Odd", "steps": [step, story.send("hello")]})
    if written.status == 201:
        found = story.expect(200, story.api.post(f"/v1/campaigns/{written.data['uid']}/validate"))
        assert found["valid"] is False
    else:
        assert written.status == 422


def test_a_contact_with_a_date_outside_of_the_calendar_fails_nobody(story: Story) -> None:
    story.set_up(contacts=2)
    odd = {"attributes": {"born": "9999-12-31T23:59:59-01:00"}}
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", odd))
    young = {"field": "attributes.born", "op": "after", "value": "2010-01-01"}
    flow = story.start(story.campaign(condition("c", young, [end("stop")], [story.send("hello")])))
    story.advance(timedelta(minutes=2), step=timedelta(seconds=10))
    assert story.flow(flow)["status"] == "completed"
    assert len(story.provider.calls) == 2
