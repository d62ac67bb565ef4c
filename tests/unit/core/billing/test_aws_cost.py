"""Test the AWS price list and the forecast of usage."""

from decimal import Decimal

import pytest

from chalicelib.core.billing.aws_cost import forecast, price
from chalicelib.core.launching.forecast import expected_visits
from chalicelib.model.aws_usage import AwsUsage
from tests.builders import build_graph, condition, end, send, tag, wait


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (AwsUsage(write_units=1_000_000), "0.625000"),
        (AwsUsage(read_halves=2_000_000), "0.125000"),
        (AwsUsage(queue_requests=1_000_000), "0.400000"),
        (AwsUsage(invocations=1_000_000), "0.200000"),
        (AwsUsage(megabyte_milliseconds=1_024_000_000_000), "13.333400"),
        (AwsUsage(), "0.000000"),
        (AwsUsage(write_units=1), "0.000001"),
    ],
)
def test_every_unit_is_priced_per_million(usage: AwsUsage, dollars: str) -> None:
    assert price(usage) == Decimal(dollars)


def test_a_million_contacts_with_two_messages_a_wait_and_a_tag_cost_less_than_six_dollars() -> None:
    """Exclude Lambda time, because most of it waits for the provider."""
    graph = build_graph(send("a"), wait("w", "P2D"), send("b"), tag("t", "vip"), end())
    usage = forecast(graph, expected_visits(graph, {}), 1_000_000)
    without_time = AwsUsage(usage.write_units, usage.read_halves, usage.queue_requests, usage.invocations)
    assert Decimal("5.5") < price(without_time) < Decimal(6)


def test_a_lane_for_half_of_the_contacts_costs_half() -> None:
    both = build_graph(send("a"), send("b"), end())
    half = build_graph(condition("if", {"tag": "vip"}, [send("a")], []), send("b"), end())
    whole, less = (forecast(graph, expected_visits(graph, {}), 1_000) for graph in (both, half))
    assert whole.write_units - less.write_units == 1_100


def test_adding_usage_adds_each_part() -> None:
    assert AwsUsage(1, 2, 3, 4, 5) + AwsUsage(1, 1, 1, 1, 1) == AwsUsage(2, 3, 4, 5, 6)
    assert (AwsUsage(1, 3).read_units, AwsUsage(megabyte_milliseconds=2_048_000).gigabyte_seconds) == (1.5, 2.0)
    assert not AwsUsage()
