"""Runs with several faults and shuffled deliveries: 300 of the thousands of seeds that `make torture` runs."""

import pytest

from tests.faults.plan import read_plan, write_plan
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME
from tests.faults.suites import fuzz


@pytest.mark.parametrize("first", range(1, 301, 100))
def test_up_to_five_faults_and_shuffled_deliveries_break_no_invariant(first: int) -> None:
    for seed in range(first, first + 100):
        name, plan = fuzz(seed)
        outcome = run(BY_NAME[name], plan, seed)
        assert not outcome.violations, str(outcome)


def test_a_plan_is_parsed_and_written_in_the_order_of_its_calls() -> None:
    assert write_plan(read_plan("P@30 C@12 D0@31")) == "C@12 P@30 D0@31"
