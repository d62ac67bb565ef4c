"""Reading what providers send: hostile bodies, times and prices never raise."""

from datetime import UTC, datetime

import pytest

from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES, Price, ProviderCallback
from chalicelib.providers.event_reader import is_start, is_stop, read_epoch, read_event, read_iso, read_json, read_price

DEEP = b"[" * 100_000
HUGE = b'{"a": ' + b"9" * 5_000 + b"}"


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"null", b'"text"', b"{", DEEP, b'{"a": ' + DEEP, HUGE, b'{"a": 1e99999999999999999999}'],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_not_an_object_is_empty(body: bytes) -> None:
    assert read_json(body) == {}


def test_a_body_longer_than_a_callback_may_be_is_empty() -> None:
    assert read_json(b'{"a": 1}' + b" " * (MAX_CALLBACK_BYTES - 8)) == {"a": 1}
    assert read_json(b'{"a": 1}' + b" " * MAX_CALLBACK_BYTES) == {}


@pytest.mark.parametrize(
    "body",
    [
        b'{"Type": "Notification"}',
        b'{"Type": "Notification", "Message": null}',
        b'{"Type": "Notification", "Message": {"a": 1}}',
        b'{"Type": "Notification", "Message": "\\ud800"}',
        b'{"detail-type": "x"}',
        b'{"detail-type": "x", "detail": [1]}',
    ],
)
def test_an_envelope_without_an_event_is_empty(body: bytes) -> None:
    assert read_event(ProviderCallback(body)) == {}


def test_envelopes_of_sns_and_eventbridge_are_removed() -> None:
    by_sns = b'{"Type": "Notification", "Message": "{\\"a\\": 1}"}'
    by_eventbridge = b'{"detail-type": "x", "detail": {"a": 1}}'
    for body in (b'{"a": 1}', by_sns, by_eventbridge):
        assert read_event(ProviderCallback(body)) == {"a": 1}


def test_times_that_do_not_exist_are_none() -> None:
    assert [read_epoch(text) for text in ("", "soon", "1.5", "9" * 30, "-" + "9" * 30, "NaN")] == [None] * 6
    texts = ("", "soon", "2026-13-01", "0001-01-01T00:00+23:00", "9999-12-31T23:59:59-23:00", "9" * 30)
    assert [read_iso(text) for text in texts] == [None] * 6


def test_times_are_in_utc() -> None:
    assert read_epoch("1686975103470", per_second=1000) == datetime(2023, 6, 17, 4, 11, 43, 470000, tzinfo=UTC)
    assert read_iso("2026-11-02T09:00:00") == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert read_iso("2026-11-02T09:00:00+02:00") == datetime(2026, 11, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "1e30", "-1e7", "free", "1 2"])
def test_a_price_that_cannot_be_is_none(amount: str) -> None:
    assert read_price("USD", amount) is None
    assert read_price("USD", "0.01", amount) is None


def test_the_parts_of_a_price_are_added() -> None:
    assert read_price("USD", "0.09582", "", "0.00302") == Price(98_840, "USD")
    assert read_price("USD", "", "") is None


def test_words_for_opt_out_and_opt_in() -> None:
    assert [is_stop(text) for text in ("STOP", " stop. ", '"Arrêt"', "Don't stop", "")] == [True] * 3 + [False] * 2
    assert [is_start(text) for text in ("START", "unstop!", "yes", "")] == [True, True, False, False]
