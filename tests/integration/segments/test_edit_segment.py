"""Create, update and delete segments."""

from datetime import timedelta

from tests.integration.conftest import Api
from tests.integration.flows.test_enrol_segment import add_people, new_segment
from tests.integration.harness import Story, story

__all__ = ["story"]
VIP = {"tag": "vip"}


class TestEdit:
    def test_a_filter_comes_back_as_it_was_written(self, api: Api) -> None:
        written = {
            "all": [
                {"field": "attributes.country", "op": "in", "value": ["DE", "AT"]},
                {"field": "createdAt", "op": "within", "within": "P30D"},
                {"any": [{"tag": "vip"}, {"event": "order.placed", "op": "gte", "value": 2, "within": "P30D"}]},
                {"not": [{"consent": "email", "messageType": "NEWSLETTER", "op": "eq", "value": "REVOKED"}]},
                {"event": "cart.left", "is": False, "where": {"property": "total", "op": "gt", "value": 10}},
            ]
        }
        reply = api.post("/v1/segments", {"name": "Good ones", "description": "D", "filter": written})
        assert reply.status == 201, reply.text
        made = reply.data
        assert (made["name"], made["description"], made["filter"]) == ("Good ones", "D", written)
        assert api.get(f"/v1/segments/{made['uid']}").data == made
        assert "rev" not in made

    def test_what_a_patch_does_not_name_stays(self, api: Api) -> None:
        made = api.post("/v1/segments", {"name": "A", "description": "D", "filter": VIP}).data
        url = f"/v1/segments/{made['uid']}"
        changed = api.patch(url, {"filter": {"tag": "new"}}).data
        assert (changed["name"], changed["description"], changed["filter"]) == ("A", "D", {"tag": "new"})
        assert api.patch(url, {"description": ""}).data["description"] == ""
        assert api.get(url).data["filter"] == {"tag": "new"}

    def test_they_are_listed_newest_first_and_by_part_of_the_name(self, api: Api) -> None:
        for name in ("Summer", "Winter", "Midsummer"):
            assert api.post("/v1/segments", {"name": name, "filter": VIP}).status == 201
        listed = api.all_pages("/v1/segments?limit=1")
        assert sorted(each["name"] for each in listed) == ["Midsummer", "Summer", "Winter"]
        assert all("filter" not in each for each in listed)
        found = api.get("/v1/segments?name=SUMMER").json["data"]
        assert sorted(each["name"] for each in found) == ["Midsummer", "Summer"]

    def test_another_workspace_sees_none_of_them(self, story: Story) -> None:
        uid = new_segment(story, VIP)
        stranger = story.world.new_caller()
        url = f"/v1/segments/{uid}"
        assert [stranger.get(url).status, stranger.patch(url, {"name": "x"}).status, stranger.delete(url).status] == [
            404
        ] * 3
        assert stranger.get("/v1/segments").json["data"] == []
        assert stranger.post("/v1/segments/preview", {"segmentUid": uid}).status == 422

    def test_one_that_is_used_cannot_be_deleted(self, story: Story) -> None:
        story.set_up(contacts=0)
        add_people(story, 2, tags=("vip",))
        uid, url = (made := new_segment(story, VIP)), f"/v1/segments/{made}"
        campaign = story.short_campaign(audience={"segmentUid": uid})
        refused = story.api.delete(url)
        assert (refused.status, campaign in refused.json["message"]) == (409, True)
        flow = story.expect(202, story.api.post(f"/v1/campaigns/{campaign}/launch"))["flowUid"]
        story.expect(200, story.api.patch(f"/v1/campaigns/{campaign}", {"audience": None}))
        refused = story.api.delete(url)
        assert (refused.status, flow in refused.json["message"]) == (409, True)
        story.advance(timedelta(seconds=5))
        assert story.flow(flow)["status"] == "completed"
        assert story.api.delete(url).status == 200
        assert story.api.get(url).status == 404
        assert story.api.delete(url).status == 404
