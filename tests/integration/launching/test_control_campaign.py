"""Test pausing, resuming and cancelling a campaign with its flows and its schedule."""

from datetime import timedelta

from tests.integration.harness import Story, story
from tests.integration.launching.schedule_helpers import HOUR, MINUTE, create_scheduled_campaign, launch, status

__all__ = ["story"]

WAIT = {"id": "pause", "type": "WAIT", "for": "PT20M"}


def test_a_paused_schedule_skips_its_starts_and_a_resume_continues_with_the_next(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=HOURLY", timezone="UTC")
    launch(story, campaign)
    paused = story.expect(200, story.api.post(f"/campaigns/{campaign}/pause"))
    assert paused == {"status": "PAUSED", "flowUid": None, "inFlight": 0}
    assert story.api.post(f"/campaigns/{campaign}/pause").status == 409
    story.advance(timedelta(hours=2, minutes=30), step=MINUTE)
    shown = status(story, campaign)
    assert (shown["state"], [skip["reason"] for skip in shown["schedule"]["skipped"]]) == (
        "PAUSED",
        ["the campaign is paused"] * 2,
    )
    resumed = story.expect(200, story.api.post(f"/campaigns/{campaign}/resume"))
    assert resumed["status"] == "SCHEDULED"
    story.advance(HOUR, step=MINUTE)
    assert len(story.provider.calls) == 2


def test_a_cancelled_schedule_starts_nothing(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    assert story.api.delete(f"/campaigns/{campaign}").status == 409
    assert story.expect(200, story.api.post(f"/campaigns/{campaign}/cancel"))["status"] == "DRAFT"
    story.advance(2 * HOUR, step=MINUTE)
    assert story.provider.calls == []
    assert launch(story, campaign)["state"] == "SCHEDULED"


def test_pause_resume_and_cancel_depend_on_the_state(story: Story) -> None:
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
        assert reply.json["message"].startswith("A campaign in state DRAFT cannot be ")
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
