"""Every single fault on every scenario, at the ports in memory; but for some at reads, which `make torture` adds."""

import pytest

from tests.faults.plan import READS, Fault, single_faults
from tests.faults.run import run
from tests.faults.scenario import Scenario
from tests.faults.scenarios import SCENARIOS

#: Before a read hardly anything has changed since the call before it: `make test` takes every so manieth of them.
OF_READS = 5


def _chosen(scenario: Scenario) -> list[Fault]:
    calls = run(scenario).calls
    faults = single_faults(calls, scenario.act is not None)
    return [
        fault
        for index, fault in enumerate(faults)
        if calls[fault.number - 1].name not in READS or index % OF_READS == 0
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_single_fault_doubles_loses_or_miscounts_anybody(scenario: Scenario) -> None:
    assert not run(scenario).violations
    broken = [str(outcome) for fault in _chosen(scenario) if (outcome := run(scenario, (fault,))).violations]
    assert not broken, "\n".join(broken[:5])


def test_the_same_plan_and_seed_give_the_same_run() -> None:
    scenario = SCENARIOS[0]
    plan = (Fault(30, single_faults(run(scenario).calls, act=False)[0].kind),)
    assert run(scenario, plan, 7) == run(scenario, plan, 7)
