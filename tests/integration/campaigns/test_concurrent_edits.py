"""Two people at one draft: whoever says which revision was read overwrites nothing that came after it."""

from tests.integration.harness import Story, story

__all__ = ["story"]

WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}


def test_a_change_of_an_older_revision_is_refused_and_names_the_newer_one(story: Story) -> None:
    story.set_up()
    url = f"/v1/campaigns/{story.campaign(WAIT)}"
    read = story.api.get(url).data["rev"]
    theirs = story.expect(200, story.api.patch(url, {"name": "Theirs", "rev": read}))
    assert theirs["rev"] > read
    refused = story.api.patch(url, {"name": "Mine", "rev": read})
    assert (refused.status, refused.json["error"], refused.json["current"]) == (409, "conflict", str(theirs["rev"]))
    assert str(theirs["rev"]) in refused.json["message"]
    assert story.api.get(url).data["name"] == "Theirs"
    assert story.expect(200, story.api.patch(url, {"name": "Mine", "rev": theirs["rev"]}))["name"] == "Mine"


def test_without_a_revision_the_last_one_wins(story: Story) -> None:
    story.set_up()
    url = f"/v1/campaigns/{story.campaign(WAIT)}"
    story.expect(200, story.api.patch(url, {"name": "Theirs"}))
    assert story.expect(200, story.api.patch(url, {"name": "Mine"}))["name"] == "Mine"


def test_a_new_campaign_has_no_revision_to_name(story: Story) -> None:
    story.set_up()
    reply = story.api.post("/v1/campaigns", {"name": "New", "steps": [WAIT], "rev": 3})
    assert (reply.status, [each["field"] for each in reply.json["details"]]) == (422, ["rev"])
