"""Campaigns that the calendar starts: once, again and again, late, twice, never, and after the clocks change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.launching.start_scheduled import start_scheduled
from chalicelib.model.queue_messages import StartScheduledCampaign
from tests.integration.harness import START, Story, story

__all__ = ["story"]
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
WEEKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


def scheduled(story: Story, at: str, **fields: Any) -> str:
    """A campaign of one SEND to two contacts."""
    if not story.contacts:
        story.set_up(contacts=2)
    trigger = {
        "type": "scheduled",
        "at": at,
        **{key: fields.pop(key) for key in ("rrule", "timezone", "until", "count") if key in fields},
    }
    return story.campaign(
        story.send("hello", channelUid=story.channel),
        trigger=trigger,
        audience={"contactUids": story.contacts},
        **fields,
    )


def launch(story: Story, campaign: str) -> Any:
    return story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))


def status(story: Story, campaign: str) -> Any:
    return story.expect(200, story.api.get(f"/v1/campaigns/{campaign}/status"))


def flows(story: Story, campaign: str) -> list[Any]:
    return list(reversed(story.api.all_pages(f"/flows?campaignUid={campaign}")))


def sleep_till(story: Story, moment: datetime) -> None:
    """Time passes while nobody ticks, sends or works: the stack is down."""
    story.time_travel.move_to(moment, tick=False)


def test_a_campaign_is_scheduled_once_and_starts_at_its_second(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T12:00:30", timezone="Europe/Berlin")
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


def test_every_weekday_at_nine_over_a_change_of_the_clocks_once_a_day_though_the_clock_fires_twice(
    story: Story,
) -> None:
    """From Thursday 26 to Tuesday 31 March 2026; on Sunday Berlin goes to summer time."""
    sleep_till(story, datetime(2026, 3, 26, 0, 0, tzinfo=UTC))
    campaign = scheduled(story, "2026-03-01T09:00", rrule=WEEKDAYS, timezone="Europe/Berlin")
    launch(story, campaign)
    for _ in range(6 * 24):
        story.advance(HOUR, step=10 * MINUTE)
        story.tick()
        story.run()
    begun = [datetime.fromisoformat(flow["queuedAt"]) for flow in flows(story, campaign)]
    expected = [(26, 8), (27, 8), (30, 7), (31, 7)]
    assert [(moment.day, moment.hour) for moment in begun] == expected
    assert set(story.provider.times_called().values()) == {1}
    assert len(story.provider.calls) == 2 * len(expected)
    shown = status(story, campaign)
    assert (shown["state"], shown["schedule"]["nextStarts"][0]) == ("SCHEDULED", "2026-04-01T07:00:00.000Z")


@pytest.mark.parametrize(("late", "sent"), [(timedelta(minutes=59), 2), (HOUR, 2), (timedelta(minutes=62), 0)])
def test_a_start_that_is_late_happens_within_the_grace_and_is_skipped_beyond(
    story: Story, late: timedelta, sent: int
) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    sleep_till(story, START + HOUR + late)
    story.tick()
    story.run()
    assert len(story.provider.calls) == sent
    shown = status(story, campaign)["schedule"]
    assert shown["nextStarts"][0] == "2026-03-03T10:00:00.000Z"
    reasons = [skip["reason"] for skip in shown["skipped"]]
    assert reasons == ([] if sent else ["1 hour 2 minutes late, more than the startGrace of 1 hour"])


def test_the_grace_is_the_campaigns_own(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", timezone="UTC", startGrace="P1D")
    launch(story, campaign)
    sleep_till(story, START + 20 * HOUR)
    story.tick()
    story.run()
    assert len(story.provider.calls) == 2


def test_of_several_starts_that_were_missed_only_the_newest_happens(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=MINUTELY;INTERVAL=10", timezone="UTC")
    launch(story, campaign)
    sleep_till(story, START + timedelta(hours=1, minutes=35))
    story.tick()
    story.run()
    assert len(flows(story, campaign)) == 1
    skipped = status(story, campaign)["schedule"]["skipped"]
    assert [skip["at"][11:16] for skip in skipped] == ["10:20", "10:10", "10:00"]
    assert {skip["reason"] for skip in skipped} == {"a later start was also due"}


def test_a_start_job_that_comes_again_early_or_for_a_deleted_campaign_starts_nothing(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    ports, job = story.world.ports, StartScheduledCampaign(workspace=story.api.workspace, uid=campaign)
    assert start_scheduled(ports, job) is None
    sleep_till(story, START + HOUR)
    assert start_scheduled(ports, job) is not None
    assert start_scheduled(ports, job) is None
    assert start_scheduled(ports, StartScheduledCampaign(workspace=story.api.workspace, uid="gone")) is None
    assert len(flows(story, campaign)) == 1


def test_a_recurring_campaign_ends_with_its_last_start(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY;COUNT=2", timezone="UTC")
    launch(story, campaign)
    story.advance(2 * HOUR, step=MINUTE)
    assert status(story, campaign)["state"] == "SCHEDULED"
    story.advance(DAY, step=5 * MINUTE)
    shown = status(story, campaign)
    assert (shown["state"], shown["schedule"]["nextStarts"]) == ("COMPLETED", [])
    assert len(flows(story, campaign)) == 2


def test_pausing_a_schedule_skips_its_starts_and_says_so_and_resume_goes_on_with_the_next(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=HOURLY", timezone="UTC")
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


def test_while_a_flow_of_it_is_paused_no_other_is_started(story: Story) -> None:
    campaign = scheduled(
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


def test_a_cancelled_schedule_starts_nothing_more(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    assert story.api.delete(f"/campaigns/{campaign}").status == 409
    assert story.expect(200, story.api.post(f"/campaigns/{campaign}/cancel"))["status"] == "DRAFT"
    story.advance(2 * HOUR, step=MINUTE)
    assert story.provider.calls == []
    assert launch(story, campaign)["state"] == "SCHEDULED"


def test_a_scheduled_campaign_is_not_launched_a_second_time_nor_triggered(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", timezone="UTC")
    launch(story, campaign)
    again = story.api.post(f"/campaigns/{campaign}/launch")
    assert (again.status, again.json["current"]) == (409, "SCHEDULED")
    triggered = story.api.post(f"/v1/campaigns/{campaign}/trigger")
    assert (triggered.status, triggered.json["allowed"]) == (409, ["manual", "api"])


def test_a_start_that_the_launch_checks_refuse_is_skipped_and_says_why(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/reject", {"reason": "typo"}))
    story.advance(2 * HOUR, step=MINUTE)
    (skip,) = status(story, campaign)["schedule"]["skipped"]
    assert "REJECTED" in skip["reason"]
    story.expect(200, story.api.patch(f"/v1/templates/{story.template}", {"content": {"text": "Hello!"}}))
    story.expect(200, story.api.post(f"/v1/templates/{story.template}/publish"))
    story.advance(DAY, step=5 * MINUTE)
    assert len(story.provider.calls) == 2


def test_each_start_runs_the_version_that_is_published_not_the_draft(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    other = story.add_template("Changed")
    steps = [{**story.send("hello", channelUid=story.channel), "templateUid": other}]
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"steps": steps}))
    story.advance(2 * HOUR, step=MINUTE)
    story.expect(200, story.api.post(f"/campaigns/{campaign}/publish"))
    story.advance(DAY, step=5 * MINUTE)
    assert [flow["campaignVersion"] for flow in flows(story, campaign)] == [1, 2]
    assert [call.message.content["text"] for call in story.provider.calls][-1] == "Changed"


def test_publishing_another_rule_moves_the_next_start(story: Story) -> None:
    campaign = scheduled(story, "2026-03-02T10:00", rrule="FREQ=DAILY", timezone="UTC")
    launch(story, campaign)
    late = {"type": "scheduled", "at": "2026-03-02T15:00", "rrule": "FREQ=DAILY", "timezone": "UTC"}
    story.expect(200, story.api.patch(f"/campaigns/{campaign}", {"trigger": late}))
    assert status(story, campaign)["schedule"]["nextStarts"][0] == "2026-03-02T10:00:00.000Z"
    story.expect(200, story.api.post(f"/campaigns/{campaign}/publish"))
    assert status(story, campaign)["schedule"]["nextStarts"][0] == "2026-03-02T15:00:00.000Z"


def test_each_start_takes_who_is_in_the_segment_then(story: Story) -> None:
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


def test_the_zone_is_the_workspaces_where_the_trigger_has_none(story: Story) -> None:
    story.expect(200, story.api.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}))
    campaign = scheduled(story, "2026-03-03T09:00")
    assert launch(story, campaign)["nextStarts"] == ["2026-03-03T00:00:00.000Z"]


def test_validate_says_every_problem_of_trigger_and_steps_at_once_and_the_next_starts(story: Story) -> None:
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
    good = scheduled(story, "2026-03-01T09:00", rrule=WEEKDAYS, timezone="Europe/Berlin")
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
def test_a_trigger_that_cannot_be_read_is_refused_at_once(story: Story, trigger: dict[str, Any]) -> None:
    story.set_up(contacts=1)
    body = {"name": "Bad", "steps": [story.send("a")], "trigger": trigger}
    answer = story.api.post("/campaigns", body)
    assert answer.status == 422
    assert all(each["field"].startswith("trigger") for each in answer.json["details"])
