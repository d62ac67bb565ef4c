"""Preview a segment: counts, members and explanations."""

from datetime import timedelta

from chalicelib.model.event import Event
from tests.integration.conftest import Reply
from tests.integration.flows.test_enrol_segment import add_people, new_segment
from tests.integration.harness import Story, story

__all__ = ["story"]
VIP = {"tag": "vip"}


def fields_of(reply: Reply) -> list[str]:
    return sorted(detail["field"] for detail in reply.json["details"])


class TestPreview:
    def test_it_counts_and_shows_ten(self, story: Story) -> None:
        add_people(story, 130, tags=("vip",))
        add_people(story, 70, "other")
        for wish in ({"filter": VIP}, {"segmentUid": new_segment(story, VIP)}):
            shown = story.expect(200, story.api.post("/v1/segments/preview", wish))
            assert (shown["count"], shown["error"], shown["exact"], shown["contacts"]) == (130, 0, True, 200)
            assert len(shown["samples"]) == 10
            assert all(each["tags"] == ["vip"] for each in shown["samples"])
            assert shown["contact"] is None

    def test_it_explains_one_contact(self, story: Story) -> None:
        story.set_up(contacts=1)
        uid = story.contacts[0]
        did = Event(id="1", name="order.placed", contact_uid=uid, occurred_at=story.now - timedelta(days=3))
        story.world.ports.events.add_many(story.api.workspace, [did])
        ordered = {"event": "order.placed", "op": "gte", "value": 2}
        written = {"all": [{"field": "firstName", "value": "Name0"}, {"any": [VIP, ordered]}]}
        shown = story.expect(200, story.api.post("/v1/segments/preview", {"filter": written, "contactUid": uid}))
        assert shown["contact"] == {
            "contactUid": uid,
            "matches": False,
            "comparisons": [
                {"path": "filter.all[0]", "comparison": {"field": "firstName", "value": "Name0"}, "found": "Name0",
                 "holds": True, "decides": False},
                {"path": "filter.all[1].any[0]", "comparison": VIP, "found": False, "holds": False, "decides": True},
                {"path": "filter.all[1].any[1]", "comparison": ordered, "found": 1, "holds": False, "decides": True},
            ],
        }  # fmt: skip
        created = {"filter": {"field": "createdAt", "op": "exists"}, "contactUid": uid}
        (found,) = story.expect(200, story.api.post("/v1/segments/preview", created))["contact"]["comparisons"]
        assert found["found"] == "2026-03-02T09:00:00.000Z"

    def test_who_or_what_is_not_there_is_named(self, story: Story) -> None:
        reply = story.api.post("/v1/segments/preview", {"segmentUid": "nope", "contactUid": "nobody"})
        assert (reply.status, fields_of(reply)) == (422, ["contactUid", "segmentUid"])
        for body in ({}, {"segmentUid": "a", "filter": VIP}, {"contactUid": "x"}):
            reply = story.api.post("/v1/segments/preview", body)
            assert (reply.status, fields_of(reply)) == (422, ["body"])
