"""Test the simulation of one contact's path."""

from tests.integration.harness import Story, fields_of, story

__all__ = ["story"]
WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}


def test_a_test_run_shows_path_times_and_text_and_sends_nothing(story: Story) -> None:
    story.set_up()
    steps = [story.send("one"), WAIT, story.send("two", parameters={"first_name": "nickname"})]
    url = f"/campaigns/{story.campaign(*steps)}/test-run"
    request = {"contactUid": story.contacts[0], "channelUid": story.channel}
    run = story.expect(200, story.api.post(url, request))
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
    unknown = story.api.post(url, request | {"contactUid": "nobody"})
    assert (unknown.status, fields_of(unknown)) == (422, ["contactUid"])
