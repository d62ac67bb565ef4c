"""Test that a rejected template pauses the flows that send it, and fails no execution."""

from datetime import timedelta

from tests.integration.harness import Story, story

__all__ = ["story"]


def test_a_rejected_template_pauses_its_flows_only(story: Story) -> None:
    story.set_up(contacts=8)
    campaign = story.short_campaign()
    flow = story.start(campaign, configuration={"pauseBetweenContactsMs": 2000})
    other = story.add_template("Another text")
    bystander = story.start(story.short_campaign(templateUid=other), configuration={"pauseBetweenContactsMs": 2000})
    story.advance(timedelta(seconds=3), step=timedelta(milliseconds=250))
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/reject", {"reason": "a wrong price"}))
    sent_before = len(story.provider.calls)
    shown = story.flow(flow)
    assert shown["status"] == "paused"
    assert shown["metadata"]["pauseReason"].startswith("template_rejected")
    state = story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))["state"]
    assert state == "PAUSED_ERROR"
    assert story.flow(bystander)["status"] == "running"
    story.set_status(flow, "running")
    story.advance(timedelta(seconds=25), step=timedelta(milliseconds=250))
    assert story.flow(flow)["status"] == story.flow(bystander)["status"] == "completed"
    assert len(story.provider.calls) == 16 > sent_before
    assert set(story.provider.times_called().values()) == {1}
