"""What a contact costs on the way through the six-node campaign, counted call by call, stays within its budget."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.bench.budget import BUDGET, GROWTH, ROW_BYTES, by_contact, price_of_a_million
from tests.bench.calls import run_six_nodes

#: Whole batches of ten, and as few as show what one contact more costs.
SMALL, LARGE = 100, 300
#: Into how many of a minute's eight buckets so few timers fall is up to chance: seven writes more at most.
CHANCE = 0.04

#: US dollars for what is billed by request. engine.md hoped for 5.50, but its own budgets add up to 5.80.
PRICE = Decimal("5.70")

Runs = tuple[Mapping[str, Any], Mapping[str, Any]]


@pytest.fixture(scope="module")
def runs() -> Runs:
    return run_six_nodes(SMALL).figures(), run_six_nodes(LARGE).figures()


@pytest.mark.parametrize("quantity", BUDGET, ids=lambda quantity: quantity.name)
def test_a_contact_costs_no_more_than_its_budget(runs: Runs, quantity: Any) -> None:
    assert by_contact(*runs, quantity.name) <= quantity.budget + CHANCE


def test_a_contact_among_more_costs_no_more(runs: Runs) -> None:
    small, large = runs
    dearer = {
        each.name: (small[each.name], large[each.name])
        for each in BUDGET
        if large[each.name] > small[each.name] * (1 + GROWTH)
    }
    assert not dearer


def test_a_waiting_row_is_small(runs: Runs) -> None:
    assert max(run["waiting_row_bytes"]["largest"] for run in runs) <= ROW_BYTES


def test_a_million_contacts_cost_a_few_dollars(runs: Runs) -> None:
    assert price_of_a_million({each.name: by_contact(*runs, each.name) for each in BUDGET}) <= PRICE


def test_no_write_of_a_flow_that_nobody_disturbs_is_refused(runs: Runs) -> None:
    assert [run["refused_writes"] for run in runs] == [0, 0]
