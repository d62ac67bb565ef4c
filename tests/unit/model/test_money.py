"""Money in and out, and what a message costs by its channel's prices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.model.channel import Channel
from chalicelib.model.message import MessageType
from chalicelib.model.money import Amount, read_money, write_money
from tests.builders import build_channel

PRICED = build_channel(
    prices={"MESSAGE": "0.0075", "NEWSLETTER": "0.01"},
    prices_by_prefix={"+49": {"MESSAGE": "0.09"}, "+4915": {"MESSAGE": "0.12"}, "+1": {}},
)


@pytest.mark.parametrize(("text", "units"), [("0", 0), ("12", 12_000_000), ("0.0075", 7_500), ("0.000001", 1)])
def test_an_amount_is_read_to_the_last_unit(text: str, units: int) -> None:
    assert read_money(text) == units


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_what_is_written_reads_the_same(units: int) -> None:
    written = write_money(units)
    assert read_money(TypeAdapter(Amount).validate_python(written)) == units
    assert len(written.partition(".")[2]) >= 2


@pytest.mark.parametrize("text", ["", "1,5", "-1", "01", ".5", "1.", "1e3", "0.0000001", "٣", "1234567890"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Amount).validate_python(text)


@pytest.mark.parametrize(
    ("message_type", "address", "price"),
    [
        (MessageType.MESSAGE, "ann@example.com", 7_500),
        (MessageType.MESSAGE, "+33612345678", 7_500),
        (MessageType.MESSAGE, "+493012345", 90_000),
        (MessageType.MESSAGE, "+4915112345", 120_000),
        (MessageType.MESSAGE, "+12025550123", 7_500),
        (MessageType.NEWSLETTER, "+493012345", 10_000),
        (MessageType.CONVERSATION, "+493012345", 0),
    ],
)
def test_the_longest_prefix_that_names_the_type_has_the_price(
    message_type: MessageType, address: str, price: int
) -> None:
    assert PRICED.price_of(message_type, address) == price


def test_prices_are_stored_and_read_again() -> None:
    assert Channel.model_validate_json(PRICED.model_dump_json()) == PRICED


def test_a_price_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="GREETING"):
        build_channel(prices={"GREETING": "1"})
