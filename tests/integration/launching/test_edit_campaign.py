"""Test creating and changing campaigns, also by two people at the same time."""

from tests.integration.harness import Story, fields_of, story

__all__ = ["story"]

WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}


def test_a_change_of_an_outdated_revision_is_refused(story: Story) -> None:
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


def test_without_a_revision_the_last_change_wins(story: Story) -> None:
    story.set_up()
    url = f"/v1/campaigns/{story.campaign(WAIT)}"
    story.expect(200, story.api.patch(url, {"name": "Theirs"}))
    assert story.expect(200, story.api.patch(url, {"name": "Mine"}))["name"] == "Mine"


def test_a_new_campaign_accepts_no_revision(story: Story) -> None:
    story.set_up()
    reply = story.api.post("/v1/campaigns", {"name": "New", "steps": [WAIT], "rev": 3})
    assert (reply.status, [each["field"] for each in reply.json["details"]]) == (422, ["rev"])


def test_the_short_form_is_stored_as_send_and_end(story: Story) -> None:
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


def test_a_template_is_found_by_a_unique_name(story: Story) -> None:
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


def test_a_campaign_changes_from_the_short_form_to_steps_and_back(story: Story) -> None:
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


def test_all_problems_of_a_new_campaign_are_reported_and_nothing_is_stored(story: Story) -> None:
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


def test_status_and_availability_are_one_field(story: Story) -> None:
    story.set_up()
    url = f"/campaigns/{story.short_campaign(status='PENDING')}"
    assert story.api.get(url).data["availability"] == "PENDING"
    assert story.api.patch(url, {"status": "DEPRECATED"}).data["availability"] == "DEPRECATED"
    assert story.api.patch(url, {"availability": "ACTIVE"}).data["availability"] == "ACTIVE"
    assert story.api.patch(url, {"status": "RUNNING"}).status == 422


def test_null_removes_the_audience_and_the_configuration_is_merged(story: Story) -> None:
    story.set_up()
    audience = {"contactUids": story.contacts}
    url = f"/campaigns/{story.short_campaign(audience=audience, configuration={'maxRetries': 1})}"
    changed = story.api.patch(url, {"audience": None, "configuration": {"retryDelayMs": 7}}).data
    assert changed["audience"] is None
    assert (changed["configuration"]["maxRetries"], changed["configuration"]["retryDelayMs"]) == (1, 7)
