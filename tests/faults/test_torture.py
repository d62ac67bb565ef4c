"""The summary table of `make torture`."""

from collections import Counter
from typing import Any

import pytest

from tests.torture import api
from tests.torture.__main__ import show

MACHINE = {"cores": 2, "python": "3.11.7"}


@pytest.fixture
def parts() -> dict[str, Any]:
    tier = {"runs": 18_000, "faults": 18_000, "duplicates": 0, "lost": 0, "mismatches": 0, "other": 0, "cpu_seconds": 9}
    mutants = {"mutants": {"one": "I1", "two": "I2"}, "mutants_caught": 2}
    counted = {"kills": 200, "contacts": 10_000, "twice": 0, "lost": 0, "statistics beside the rows": 0}
    spent = {"exit_code": 0, "seconds": 60, "cpu_seconds": 50}
    return {
        "faults": {**spent, "tiers": {"singles": tier}, **mutants},
        "kills": {**spent, **counted},
        "api": {**spent, **api.count(2, 0, Counter({"requests": 20_000, "2xx": 20_000}))},
    }


def test_every_part_has_a_line_with_its_findings(parts: dict[str, Any]) -> None:
    parts["kills"]["twice"] = 3
    lines = {line.split()[0]: line.split() for line in show(MACHINE, parts).splitlines() if line.strip()}
    assert lines["singles"][-5:] == ["0", "0", "0", "0", "9"]
    assert lines["kills"][-5:] == ["3", "0", "0", "–", "50"]
    assert lines["api"][-5:] == ["–", "–", "–", "0", "50"]
    assert lines["mutants"][1:4] == ["2", "of", "2"]
    assert "cores 2" in show(MACHINE, parts)


def test_responses_of_5xx_are_counted(parts: dict[str, Any]) -> None:
    parts["api"] |= api.count(2, 1, Counter({"requests": 20_000, "5xx": 3}))
    line = next(line.split() for line in show(MACHINE, parts).splitlines() if line.startswith("api"))
    assert line[-2] == "4"


def test_a_failed_part_is_named(parts: dict[str, Any]) -> None:
    assert show(MACHINE, parts).endswith("all as promised")
    parts["kills"] = {"exit_code": 1, "seconds": 2, "cpu_seconds": 1}
    assert show(MACHINE, parts).endswith("NOT AS PROMISED: kills")
