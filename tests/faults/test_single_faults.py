"""Single faults on every scenario, at the ports in memory. `make torture` runs all of them, this module a part."""

import pytest

from tests.faults.plan import READS, Fault, Kind, single_faults
from tests.faults.run import Outcome, run
from tests.faults.scenario import Scenario
from tests.faults.scenarios import BY_NAME, SCENARIOS

#: Runs of one scenario: two thirds with faults at writes, one third with faults at reads, which reveal less.
MOST = 150


def _chosen(scenario: Scenario) -> list[Fault]:
    calls = run(scenario).calls
    faults = single_faults(calls, scenario.act is not None)
    at_writes = [fault for fault in faults if calls[fault.number - 1].name not in READS]
    at_reads = [fault for fault in faults if calls[fault.number - 1].name in READS]
    return [*_thinned(at_writes, MOST * 2 // 3), *_thinned(at_reads, MOST // 3)]


def _thinned(faults: list[Fault], most: int) -> list[Fault]:
    """Return at most `most` faults, evenly spread over the calls and the kinds."""
    return faults[:: max(1, -(-len(faults) // most))]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_single_fault_duplicates_loses_or_miscounts_a_contact(scenario: Scenario) -> None:
    assert not run(scenario).violations
    broken = [str(outcome) for fault in _chosen(scenario) if (outcome := run(scenario, (fault,))).violations]
    assert not broken, "\n".join(broken[:5])


def test_the_ledger_equals_the_executions_after_a_crash_at_any_call() -> None:
    """Crash at every call, where the test above takes a part. The check is `_balance_adds_up`."""
    scenario = BY_NAME["balance"]
    calls = run(scenario).calls
    assert sum(call.name.startswith(("balances.", "budgets.")) for call in calls) > 10
    broken = [str(found) for number in range(1, len(calls) + 1) if (found := _crash(scenario, number)).violations]
    assert not broken, "\n".join(broken[:5])


def _crash(scenario: Scenario, number: int) -> Outcome:
    return run(scenario, (Fault(number, Kind.CRASH),))


def test_the_same_plan_and_seed_give_the_same_run() -> None:
    scenario = SCENARIOS[0]
    plan = (Fault(30, single_faults(run(scenario).calls, act=False)[0].kind),)
    assert run(scenario, plan, 7) == run(scenario, plan, 7)
