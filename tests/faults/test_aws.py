"""The scenarios over the real adapters: as in memory, with faults at AWS's calls, and on moto as a second opinion."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.faults.aws import aws_backend
from tests.faults.aws_suites import aws_faults
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME

#: Those that touch every adapter; `make torture` plays all.
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
def test_the_real_adapters_reach_the_verdicts_of_memory(name: str, ministack: EmbeddedAws) -> None:
    there = run(BY_NAME[name], place=partial(aws_backend, ministack))
    assert not there.violations
    assert there.summary == run(BY_NAME[name]).summary


@pytest.mark.parametrize("name", DIFFERENT[:3])
def test_moto_reaches_them_too(name: str, moto: MotoAws) -> None:
    there = run(BY_NAME[name], place=partial(aws_backend, moto))
    assert not there.violations
    assert there.summary == run(BY_NAME[name]).summary


@pytest.mark.parametrize("name", ["send", "tag"])
def test_a_fault_at_a_call_of_aws_breaks_nothing(name: str, ministack: EmbeddedAws) -> None:
    scenario, place = BY_NAME[name], partial(aws_backend, ministack)
    for fault in aws_faults(run(scenario, place=place).calls)[::OF_FAULTS]:
        outcome = run(scenario, (fault,), place=place)
        assert not outcome.violations, str(outcome)
