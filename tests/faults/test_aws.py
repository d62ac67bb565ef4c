"""Scenarios over the real adapters: compared with memory, with faults at AWS's calls, and on moto as a check."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.faults.aws import aws_backend
from tests.faults.aws_suites import aws_faults
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME

#: Scenarios that together touch every adapter; `make torture` runs all scenarios.
DIFFERENT = ("wait_long", "tag", "scheduled", "re_entry", "receipts", "paced")
OF_FAULTS = 90


@pytest.fixture(scope="module")
def ministack() -> Iterator[EmbeddedAws]:
    aws = EmbeddedAws()
    yield aws
    aws.reset()


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    aws = MotoAws()
    yield aws
    aws.reset()


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_scenario_has_the_same_result_on_ministack_and_in_memory(name: str, ministack: EmbeddedAws) -> None:
    emulated = run(BY_NAME[name], backend=partial(aws_backend, ministack))
    assert not emulated.violations
    assert emulated.summary == run(BY_NAME[name]).summary


@pytest.mark.parametrize("name", DIFFERENT[:3])
def test_a_scenario_has_the_same_result_on_moto_and_in_memory(name: str, moto: MotoAws) -> None:
    emulated = run(BY_NAME[name], backend=partial(aws_backend, moto))
    assert not emulated.violations
    assert emulated.summary == run(BY_NAME[name]).summary


@pytest.mark.parametrize("name", ["send", "tag"])
def test_a_fault_at_a_call_of_aws_breaks_no_invariant(name: str, ministack: EmbeddedAws) -> None:
    scenario, backend = BY_NAME[name], partial(aws_backend, ministack)
    for fault in aws_faults(run(scenario, backend=backend).calls)[::OF_FAULTS]:
        outcome = run(scenario, (fault,), backend=backend)
        assert not outcome.violations, str(outcome)
