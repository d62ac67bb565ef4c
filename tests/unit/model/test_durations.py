"""Test durations as people read them."""

from datetime import timedelta

import pytest

from chalicelib.model.durations import describe_duration


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(), "0 seconds"),
        (timedelta(milliseconds=900), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=61), "1 minute 1 second"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=2, hours=3, minutes=4, seconds=5), "2 days 3 hours"),
        (timedelta(days=2525, hours=8, minutes=40), "6 years 335 days"),
    ],
)
def test_a_duration_is_described_in_its_two_largest_units(span: timedelta, text: str) -> None:
    assert describe_duration(span) == text
