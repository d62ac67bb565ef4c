"""Every seeded bug fits the current code, and one of them is caught here; `make torture` tries them all."""

import pytest

from tests.faults.mutants import MUTANTS, Mutant, hunt
from tests.faults.scenarios import BY_NAME


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_code(mutant: Mutant) -> None:
    compile(mutant.apply(), mutant.file, "exec")
    assert set(mutant.scenarios) <= set(BY_NAME)


def test_a_mutant_is_caught() -> None:
    assert "I1" in (hunt("lost_claim_sent_again") or "")
