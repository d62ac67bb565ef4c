"""Test the starts of schedules in local time, across clock changes and with limits."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.campaigns.recurrence import HORIZON, Occurrence, check_schedule, occurrences
from chalicelib.model.trigger import ScheduledTrigger

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEPS = {"MINUTELY": timedelta(minutes=1), "HOURLY": HOUR, "DAILY": 24 * HOUR, "WEEKLY": 168 * HOUR}
WEEKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


def trigger(rrule: str | None = None, at: str = "2026-03-02T09:00", **fields: Any) -> ScheduledTrigger:
    return ScheduledTrigger.model_validate({"at": datetime.fromisoformat(at), "rrule": rrule, **fields})


def starts(rule: ScheduledTrigger, count: int, after: datetime = NOW, zone: str = "Europe/Berlin") -> list[datetime]:
    return [each.at for each in islice(occurrences(rule, zone, after), count)]


def problems(rule: ScheduledTrigger, now: datetime = NOW, zone: str = "Europe/Berlin") -> dict[str, str]:
    return {problem.field: problem.message for problem in check_schedule(rule, zone, now, HOUR)}


@pytest.mark.parametrize("around", [datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 10, 22, tzinfo=UTC)])
def test_a_local_time_stays_the_same_when_the_clocks_change(around: datetime) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = [moment.astimezone(berlin) for moment in starts(trigger(WEEKDAYS), 5, around)]
    assert {(moment.hour, moment.minute) for moment in found} == {(9, 0)}
    assert [moment.weekday() for moment in found] == [3, 4, 0, 1, 2]
    assert len({moment.utcoffset() for moment in found}) == 2


def test_a_skipped_local_time_moves_and_a_repeated_one_counts_once() -> None:
    daily = trigger("FREQ=DAILY", at="2026-03-01T02:30")
    spring = starts(daily, 3, datetime(2026, 3, 27, 12, tzinfo=UTC))
    assert [f"{moment:%d %H:%M}" for moment in spring] == ["28 01:30", "29 01:30", "30 00:30"]
    autumn = starts(daily, 3, datetime(2026, 10, 23, 12, tzinfo=UTC))
    assert [f"{moment:%d %H:%M}" for moment in autumn] == ["24 00:30", "25 00:30", "26 01:30"]


def test_skipped_and_repeated_hours_start_nothing_twice() -> None:
    hourly = starts(trigger("FREQ=HOURLY", at="2026-03-01T00:30"), 5, datetime(2026, 3, 28, 23, tzinfo=UTC))
    assert [f"{moment:%H:%M}" for moment in hourly] == ["23:30", "00:30", "01:30", "02:30", "03:30"]


def test_a_time_with_an_offset_is_absolute() -> None:
    once = trigger(at="2026-04-01T09:00+00:00")
    assert starts(once, 2) == [datetime(2026, 4, 1, 9, tzinfo=UTC)]
    assert starts(trigger(at="2026-04-01T09:00"), 2) == [datetime(2026, 4, 1, 7, tzinfo=UTC)]


@pytest.mark.parametrize("fields", [{"count": 3}, {"rrule": "FREQ=DAILY;COUNT=3"}])
def test_a_count_starts_at_the_first_occurrence(fields: dict[str, Any]) -> None:
    rule = trigger(**{"rrule": "FREQ=DAILY", "at": "2026-03-20T09:00", **fields})
    found = list(occurrences(rule, "Europe/Berlin", datetime(2026, 3, 20, tzinfo=UTC)))
    assert [each.number for each in found] == [1, 2, 3]
    assert list(occurrences(rule, "Europe/Berlin", found[1].at, found[1])) == [found[2]]
    assert list(occurrences(rule, "Europe/Berlin", found[2].at, found[2])) == []


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"until": datetime(2026, 3, 22, 8, tzinfo=UTC)}, [21, 22]),
        ({"until": datetime(2026, 3, 22, 7, 59, tzinfo=UTC)}, [21]),
        ({"rrule": "FREQ=DAILY;UNTIL=20260322"}, [21, 22]),
        ({"rrule": "FREQ=DAILY;UNTIL=20260322T075900Z"}, [21]),
        ({"rrule": "FREQ=DAILY;UNTIL=20260322T090000"}, [21, 22]),
    ],
)
def test_nothing_starts_after_the_end(fields: dict[str, Any], days: list[int]) -> None:
    assert [moment.day for moment in starts(trigger(**{"rrule": "FREQ=DAILY", **fields}), 9)] == days


@given(frequency=st.sampled_from(sorted(STEPS)), interval=st.integers(1, 50), days=st.integers(0, 900))
def test_a_search_from_any_time_finds_the_same_occurrences(frequency: str, interval: int, days: int) -> None:
    rule = trigger(f"FREQ={frequency};INTERVAL={interval}", at="2026-01-15T08:20")
    first = starts(rule, 1, datetime(2026, 1, 1, tzinfo=UTC), "Asia/Tokyo")[0]
    after, span = first + timedelta(days=days), STEPS[frequency] * interval
    found = starts(rule, 2, after, "Asia/Tokyo")
    assert after < found[0] <= after + span
    assert found[1] - found[0] == span
    assert (found[0] - first) % span == timedelta(0)


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        (trigger("FREQ=SECONDLY"), "trigger.rrule", "at most once a minute"),
        (trigger("FREQ=DAILY;BYSECOND=1,2"), "trigger.rrule", "'BYSECOND=1,2' is not a part of a rule"),
        (trigger("every day"), "trigger.rrule", "is not a part of a rule"),
        (trigger("BYDAY=MO"), "trigger.rrule", "FREQ must be one of"),
        (trigger("FREQ=DAILY;FREQ=DAILY"), "trigger.rrule", "FREQ is set twice"),
        (trigger("FREQ=DAILY;INTERVAL=0"), "trigger.rrule", "INTERVAL must be between 1 and 10,000"),
        (trigger("FREQ=DAILY;BYHOUR=25"), "trigger.rrule", "cannot be read"),
        (trigger("FREQ=DAILY;UNTIL=tomorrow"), "trigger.rrule", "is not a part of a rule"),
        (trigger("FREQ=DAILY;UNTIL=2026"), "trigger.rrule", "UNTIL must be written like"),
        (trigger("FREQ=DAILY;COUNT=3;UNTIL=20260401", count=2), "trigger.count", "is also set in the rrule, as COUNT"),
        (trigger("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "trigger.rrule", "has no start in the next 8 years"),
        (trigger("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"), "trigger.rrule", "has no start in the next 8 years"),
        (trigger("FREQ=DAILY;UNTIL=20260301"), "trigger.rrule", "has no start in the next 8 years"),
        (trigger("FREQ=DAILY;COUNT=5"), "trigger.rrule", "has no start in the next 8 years"),
        (
            trigger(at="2026-03-20T11:59"),
            "trigger.at",
            "1 hour 1 minute in the past, more than the startGrace of 1 hour",
        ),
        (trigger(count=2), "trigger.count", "is only allowed with an rrule"),
        (trigger(WEEKDAYS, timezone="Mars/Base"), "trigger.timezone", "Mars/Base is not an IANA time zone"),
    ],
)
def test_an_invalid_schedule_is_refused_with_its_field_and_limit(
    rule: ScheduledTrigger, field: str, words: str
) -> None:
    assert words in problems(rule)[field]


def test_all_problems_are_reported_together() -> None:
    rule = trigger(timezone="Mars/Base", count=2, until=NOW)
    assert set(problems(rule)) == {"trigger.timezone", "trigger.count", "trigger.until"}


@pytest.mark.parametrize("minute", ["2026-03-20T12:01", "2026-03-20T12:59"])
def test_a_start_within_the_grace_is_no_problem(minute: str) -> None:
    assert problems(trigger(at=minute), zone="UTC", now=NOW + HOUR) == {}


def test_a_rare_rule_is_found() -> None:
    leap = trigger("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", at="2024-02-29T10:00")
    assert starts(leap, 1, zone="UTC") == [datetime(2028, 2, 29, 10, tzinfo=UTC)]
    assert timedelta(days=366 * 4) < HORIZON


def test_occurrences_are_numbered() -> None:
    known = Occurrence(datetime(2026, 3, 23, 8, tzinfo=UTC), 7)
    following = next(occurrences(trigger(WEEKDAYS), "Europe/Berlin", known.at, known))
    assert following == Occurrence(datetime(2026, 3, 24, 8, tzinfo=UTC), 8)
