"""The arithmetic of a channel's rate."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.channels.rate_limit import (
    SendRate,
    interval_of,
    is_within_horizon,
    lease_size,
    next_day,
    retry_at,
)
from chalicelib.model.rate_lease import RateLease
from tests.builders import NOW

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("per_second", "microseconds"), [(14, 71_429), (1, 1_000_000), (0.5, 2_000_000), (1_000, 1_000), (3, 333_334)]
)
def test_an_interval_is_rounded_so_that_the_rate_is_not_exceeded(per_second: float, microseconds: int) -> None:
    assert interval_of(per_second) == timedelta(microseconds=microseconds)


@pytest.mark.parametrize(("wanted", "per_second", "size"), [(10, 14, 10), (1, 500, 1), (1, 501, 2), (10, 10_000, 20)])
def test_fast_channels_are_leased_in_chunks(wanted: int, per_second: float, size: int) -> None:
    assert lease_size(wanted, per_second) == size


def test_slots_of_a_lease_follow_from_each_other() -> None:
    first, rest = RateLease(NOW, 3, SECOND).take()
    second, rest = rest.take()
    assert (first, second, rest) == (NOW, NOW + SECOND, RateLease(NOW + 2 * SECOND, 1, SECOND))


@pytest.mark.parametrize(("later", "left"), [(0, 3), (0.5, 2), (1, 2), (1.001, 1), (60, 0)])
def test_slots_that_have_passed_are_not_used(later: float, left: int) -> None:
    fresh = RateLease(NOW, 3, SECOND).fresh(NOW + later * SECOND)
    assert fresh.left == left
    assert not left or fresh.start >= NOW + later * SECOND


@pytest.mark.parametrize(("ahead", "waits"), [(-0.001, False), (0, True), (2.1, True), (2.101, False)])
def test_only_slots_within_two_seconds_are_waited_for(ahead: float, waits: bool) -> None:
    assert is_within_horizon(NOW + ahead * SECOND, NOW, 1.0) is waits


@pytest.mark.parametrize("ahead", [2.1, 3, 10, 3_600])
def test_a_postponed_execution_returns_early_enough_to_wait_for_its_slot(ahead: float) -> None:
    moment = retry_at(NOW + ahead * SECOND, NOW, 1.0)
    assert moment >= NOW + SECOND
    for late in (0, 0.999):  # SQS rounds up to whole seconds.
        assert is_within_horizon(NOW + ahead * SECOND, moment + late * SECOND, 1.0)


def test_a_daily_cap_resets_at_midnight() -> None:
    assert next_day(NOW).isoformat() == "2026-03-03T00:00:00+00:00"


NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pace", "count", "end"),
    [
        (SendRate(SECOND), 3_600, "2026-03-02T13:00"),
        (SendRate(SECOND, 5_000, 5_000), 3_600, "2026-03-02T13:00"),
        (SendRate(SECOND, 5_000, 600), 600, "2026-03-02T12:10"),
        (SendRate(SECOND, 5_000, 600), 660, "2026-03-03T00:01"),
        (SendRate(SECOND, 5_000, 0), 5_000, "2026-03-03T01:23:20"),
        (SendRate(SECOND, 5_000, 0), 10_060, "2026-03-05T00:01"),
        # Slower than its cap: a day has room for 24 of them, the rest of this one for 12.
        (SendRate(timedelta(hours=1), 5_000, 5_000), 12, "2026-03-03T00:00"),
        (SendRate(timedelta(hours=1), 5_000, 5_000), 12 + 24 + 1, "2026-03-04T01:00"),
        (SendRate(timedelta(0), 100, 100), 100, "2026-03-02T12:00"),
        (SendRate(timedelta(0), 100, 40), 241, "2026-03-05T00:00"),
        (SendRate(timedelta(days=1), 5, 5), 3, "2026-03-06T00:00"),
    ],
)
def test_the_end_of_a_load_respects_rate_and_daily_cap(pace: SendRate, count: int, end: str) -> None:
    assert pace.end_of(count, NOON) == datetime.fromisoformat(f"{end}+00:00")
