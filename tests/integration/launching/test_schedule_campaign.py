"""Test scheduling a campaign: once, recurring, and across clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.harness import Story, story
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
WEEKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


def test_a_single_start_happens_at_its_second(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T12:00:30", timezone="Europe/Berlin")
    launched = launch(story, campaign)
    assert (launched["flowUid"], launched["status"], launched["state"]) == (None, "scheduled", "SCHEDULED")
    assert launched["nextStarts"] == ["2026-03-02T11:00:30.000Z"]
    story.advance(2 * HOUR + timedelta(seconds=28), step=timedelta(seconds=4))
    assert (status(story, campaign)["state"], story.provider.calls) == ("SCHEDULED", [])
    story.advance(timedelta(seconds=8))
    (flow,) = flows(story, campaign)
    assert flow["trigger"] == "scheduled"
    assert datetime.fromisoformat(flow["startedAt"] or flow["queuedAt"]) - datetime(
        2026, 3, 2, 11, 0, 30, tzinfo=UTC
    ) < timedelta(seconds=4)
    assert len(story.provider.calls) == 2
    assert status(story, campaign)["state"] == "COMPLETED"
    story.advance(3 * HOUR, step=MINUTE)
    assert len(story.provider.calls) == 2


def test_a_weekday_schedule_starts_once_a_day_across_a_clock_change(
    story: Story,
) -> None:
    """Run from Thursday 26 to Tuesday 31 March 2026. Berlin changes to summer time on the Sunday."""
    skip_to(story, datetime(2026, 3, 26, 0, 0, tzinfo=UTC))
    campaign = create_scheduled_campaign(story, "2026-03-01T09:00", rrule=WEEKDAYS, timezone="Europe/Berlin")
    launch(story, campaign)
    for _ in range(6 * 24):
        story.advance(HOUR, step=10 * MINUTE)
        story.tick()
        story.run()
    starts = [datetime.fromisoformat(flow["queuedAt"]) for flow in flows(story, campaign)]
    expected = [(26, 8), (27, 8), (30, 7), (31, 7)]
    assert [(moment.day, moment.hour) for moment in starts] == expected
    assert set(story.provider.times_called().values()) == {1}
    assert len(story.provider.calls) == 2 * len(expected)
    shown = status(story, campaign)
    assert (shown["state"], shown["schedule"]["nextStarts"][0]) == ("SCHEDULED", "2026-04-01T07:00:00.000Z")


def test_a_recurring_campaign_ends_with_its_last_start(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", rrule="FREQ=DAILY;COUNT=2", timezone="UTC")
    launch(story, campaign)
    story.advance(2 * HOUR, step=MINUTE)
    assert status(story, campaign)["state"] == "SCHEDULED"
    story.advance(DAY, step=5 * MINUTE)
    shown = status(story, campaign)
    assert (shown["state"], shown["schedule"]["nextStarts"]) == ("COMPLETED", [])
    assert len(flows(story, campaign)) == 2


def test_a_scheduled_campaign_is_neither_launched_again_nor_triggered(story: Story) -> None:
    campaign = create_scheduled_campaign(story, "2026-03-02T10:00", timezone="UTC")
    launch(story, campaign)
    again = story.api.post(f"/campaigns/{campaign}/launch")
    assert (again.status, again.json["current"]) == (409, "SCHEDULED")
    triggered = story.api.post(f"/v1/campaigns/{campaign}/trigger")
    assert (triggered.status, triggered.json["allowed"]) == (409, ["manual", "api"])


def test_the_default_time_zone_is_that_of_the_workspace(story: Story) -> None:
    story.expect(200, story.api.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}))
    campaign = create_scheduled_campaign(story, "2026-03-03T09:00")
    assert launch(story, campaign)["nextStarts"] == ["2026-03-03T00:00:00.000Z"]


def test_validate_reports_all_problems_and_the_next_starts(story: Story) -> None:
    story.set_up(contacts=1)
    trigger = {"type": "scheduled", "at": "2026-03-01T09:00", "timezone": "Mars/Base", "rrule": "FREQ=SECONDLY"}
    campaign = story.campaign(
        {"id": "x", "type": "WAIT", "for": "P1D", "until": "2026-03-04T00:00:00Z"}, trigger=trigger
    )
    found = story.expect(200, story.api.post(f"/campaigns/{campaign}/validate"))
    assert {error["field"] for error in found["errors"]} == {
        "steps[0]",
        "trigger.timezone",
        "trigger.rrule",
        "audience",
    }
    launched = story.api.post(f"/campaigns/{campaign}/launch")
    assert launched.status == 422
    assert {"trigger.timezone", "trigger.rrule", "audience"} < {each["field"] for each in launched.json["details"]}
    good = create_scheduled_campaign(story, "2026-03-01T09:00", rrule=WEEKDAYS, timezone="Europe/Berlin")
    starts = story.expect(200, story.api.post(f"/campaigns/{good}/validate"))["nextStarts"]
    assert [start[8:13] for start in starts] == ["03T08", "04T08", "05T08", "06T08", "09T08"]


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "scheduled", "at": "1772442000"},
        {"type": "scheduled", "at": 1772442000},
        {"type": "scheduled"},
        {"type": "scheduled", "at": "2026-03-04T09:00", "count": 0},
        {"type": "sometimes"},
        {"type": "event", "event": "has spaces"},
    ],
)
def test_a_malformed_trigger_is_refused(story: Story, trigger: dict[str, Any]) -> None:
    story.set_up(contacts=1)
    body = {"name": "Bad", "steps": [story.send("a")], "trigger": trigger}
    answer = story.api.post("/campaigns", body)
    assert answer.status == 422
    assert all(each["field"].startswith("trigger") for each in answer.json["details"])
