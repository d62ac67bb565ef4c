"""Test scheduled starts: late, missed, repeated, refused and by version and segment."""

from datetime import timedelta

import pytest

from chalicelib.core.launching.start_scheduled import start_scheduled
from chalicelib.model.queue_messages import StartScheduledCampaign
from tests.integration.harness import START, Story, story
from tests.integration.launching.schedule_helpers import (
    DAY,
    HOUR,
    MINUTE,
    create_scheduled_campaign,
    flows,
    launch,
    skip_to,
    status,
)

__all__ = ["story"]


@pytest.mark.parametrize(("late", "sent"), [(timedelta(minutes=59), 2), (HOUR, 2), (timedelta(minutes=62), 0)])
def test_a_late_start_happens_within_the_grace_and_is_skipped_after_it(
    story: Story, late: timedelta, sent: int
) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    skip_to(story, START + HOUR + late)
    story.tick()
    story.run()
    assert len(story.provider.calls) == sent
    shown = status(story, campaign)["schedule"]
    assert shown["nextStarts"][0] == "2026-03-03T10:00:00.000Z"
    reasons = [skip["reason"] for skip in shown["skipped"]]
    assert reasons == ([] if sent else ["1 hour 2 minutes late, more than the startGrace of 1 hour"])


def test_the_grace_is_set_per_campaign(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", timezone="UTC", startGrace="P1D")
    launch(story, campaign)
    skip_to(story, START + 20 * HOUR)
    story.tick()
    story.run()
    assert len(story.provider.calls) == 2


def test_only_the_newest_of_several_missed_starts_happens(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=MINUTELY;INTERVAL=10", timezone="UTC")
    launch(story, campaign)
    skip_to(story, START + timedelta(hours=1, minutes=35))
    story.tick()
    story.run()
    assert len(flows(story, campaign)) == 1
    skipped = status(story, campaign)["schedule"]["skipped"]
    assert [skip["at"][11:16] for skip in skipped] == ["10:20", "10:10", "10:00"]
    assert {skip["reason"] for skip in skipped} == {"a later start was also due"}


def test_an_early_repeated_or_orphaned_job_starts_nothing(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    ports, job = story.world.ports, StartScheduledCampaign(workspace=story.api.workspace, uid=campaign)
    assert start_scheduled(ports, job) is None
    skip_to(story, START + HOUR)
    assert start_scheduled(ports, job) is not None
    assert start_scheduled(ports, job) is None
    assert start_scheduled(ports, StartScheduledCampaign(workspace=story.api.workspace, uid="gone")) is None
    assert len(flows(story, campaign)) == 1


def test_no_start_happens_while_a_flow_is_paused(story: Story) -> None:
    campaign = create_scheduled_campaign(
        story,
        "2026-03-02T10:00",
        rrule="FREQ=HOURLY",
        timezone="UTC",
        configuration={"pauseBetweenContactsMs": 3_000_000},
    )
    launch(story, campaign)
    story.advance(timedelta(minutes=70), step=MINUTE)
    assert status(story, campaign)["state"] == "RUNNING"
    story.expect(200, story.api.post(f"/campaigns/{campaign}/pause"))
    story.advance(2 * HOUR, step=MINUTE)
    assert len(flows(story, campaign)) == 1
    story.expect(200, story.api.post(f"/campaigns/{campaign}/resume"))
    story.advance(HOUR, step=MINUTE)
    assert len(flows(story, campaign)) == 2


def test_a_start_with_problems_is_skipped_with_the_reason(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/reject", {"reason": "typo"}))
    story.advance(2 * HOUR, step=MINUTE)
    (skip,) = status(story, campaign)["schedule"]["skipped"]
    assert "REJECTED" in skip["reason"]
    story.expect(200, story.api.patch(f"/v1/templates/{story.template}", {"content": {"text": "Hello!"}}))
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/publish"))
    story.advance(DAY, step=5 * MINUTE)
    assert len(story.provider.calls) == 2


def test_each_start_uses_the_current_members_of_the_segment(story: Story) -> None:
    story.set_up(contacts=3)
    segment = story.expect(201, story.api.post("/v1/segments", {"name": "VIP", "filter": {"tag": "vip"}}))["uid"]
    trigger = {"type": "scheduled", "at": "2026-03-02T10:00", "rrule": "FREQ=DAILY", "timezone": "UTC"}
    send = story.send("hello", channelUid=story.channel)
    campaign = story.campaign(send, trigger=trigger, audience={"segmentUid": segment})
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", {"tags": ["vip"]}))
    launch(story, campaign)
    story.advance(2 * HOUR, step=MINUTE)
    assert len(story.provider.calls) == 1
    story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[1]}", {"tags": ["vip"]}))
    story.advance(DAY, step=5 * MINUTE)
    assert len(story.provider.calls) == 3
    assert {flow["segmentUid"] for flow in flows(story, campaign)} == {segment}
