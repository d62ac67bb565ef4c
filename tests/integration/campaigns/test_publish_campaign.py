"""Test publishing: a version is immutable, and an unchanged draft makes no new one."""

from datetime import timedelta

from tests.integration.harness import Story, story

__all__ = ["story"]
WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}


def test_publishing_an_unchanged_draft_returns_the_same_version(story: Story) -> None:
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


def test_a_running_flow_keeps_its_version_and_a_new_one_uses_the_newest(story: Story) -> None:
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
