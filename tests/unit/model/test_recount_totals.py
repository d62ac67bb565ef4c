"""Totals of a recount: their stored form, and their sum over shards."""

from collections import Counter
from datetime import timedelta

from chalicelib.model.recount_totals import RecountTotals
from tests.builders import NOW


def _totals() -> RecountTotals:
    totals = RecountTotals(Counter({"total": 3, "completed": 1}), open=2, awaited=1, overdue=1, claimed=40)
    totals.note_due(NOW + timedelta(minutes=5))
    totals.note_due(NOW + timedelta(minutes=2))
    totals.note_deadline(NOW + timedelta(hours=1))
    return totals


def test_the_stored_form_is_read_back_unchanged() -> None:
    assert RecountTotals.from_part(_totals().to_part()) == _totals()
    assert RecountTotals.from_part(RecountTotals().to_part()) == RecountTotals()


def test_the_stored_form_has_the_names_of_the_first_version() -> None:
    milliseconds = int(NOW.timestamp() * 1000)
    assert _totals().to_part() == {
        "total": 3,
        "completed": 1,
        "open": 2,
        "awaited": 1,
        "overdue": 1,
        "claimed": 40,
        "soonest.due": milliseconds + 120_000,
        "soonest.receipt": milliseconds + 3_600_000,
    }


def test_the_sum_of_shards_adds_counts_and_keeps_the_soonest_times() -> None:
    other = RecountTotals(Counter({"total": 1}), open=1)
    other.note_due(NOW + timedelta(minutes=1))
    total = RecountTotals.sum([_totals(), RecountTotals(), other])
    assert (total.counters["total"], total.open, total.awaited, total.claimed) == (4, 3, 1, 40)
    assert (total.next_due, total.next_deadline) == (NOW + timedelta(minutes=1), NOW + timedelta(hours=1))
