"""Runs the cases of every registered node type: `decides` are steps with their outcomes, `refused` are bad steps."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.engine.compile import compile_steps
from chalicelib.model.steps import NEXT, Deliver, Go, NodeOutcome, Sleep, StepContext, Stop
from chalicelib.nodes.registry import NODE_TYPES, STEP
from tests.builders import NOW, build_contact

CASES = Path(__file__).parent / "cases"
_MOMENT, _SPAN = TypeAdapter(datetime), TypeAdapter(timedelta)


def _cases(what: str) -> list[Any]:
    found = []
    for tag in (node_type.__name__.upper() for node_type in NODE_TYPES):
        cases = json.loads((CASES / f"{tag.lower()}.json").read_text(encoding="utf-8"))[what]
        found += [pytest.param(tag, case, id=f"{tag}: {case['name']}") for case in cases]
    return found


def _context(given: dict[str, Any]) -> StepContext:
    """`enteredOffset` is when the walk came to the node, seen from `now`: "-PT2H" is two hours ago."""
    now = _MOMENT.validate_python(given["now"]) if "now" in given else NOW
    entered = now + _SPAN.validate_python(given.get("enteredOffset", "PT0S"))
    return StepContext(now, entered, "camp", build_contact(**given.get("contact", {})), {}, {})


def _outcome(written: dict[str, str]) -> NodeOutcome:
    match written:
        case {"type": "go"}:
            return Go(written.get("exit", NEXT))
        case {"type": "sleep", "until": until}:
            return Sleep(_MOMENT.validate_python(until))
        case {"type": "deliver"}:
            return Deliver()
        case {"type": "stop"}:
            return Stop()
    raise ValueError(written)


@pytest.mark.parametrize(("tag", "case"), _cases("decides"))
def test_a_node_decides_as_its_case_says(tag: str, case: dict[str, Any]) -> None:
    step = STEP.validate_python(case["step"], strict=False)
    assert case["step"]["type"] == tag
    assert step.decide(_context(case.get("context", {}))) == _outcome(case["outcome"])


@pytest.mark.parametrize(("tag", "case"), _cases("decides"))
def test_a_step_survives_being_stored(tag: str, case: dict[str, Any]) -> None:
    step = STEP.validate_python(case["step"], strict=False)
    assert STEP.validate_python(json.loads(STEP.dump_json(step)), strict=False) == step


@pytest.mark.parametrize(("tag", "case"), _cases("refused"))
def test_a_bad_step_is_refused_with_every_problem(tag: str, case: dict[str, Any]) -> None:
    problems = compile_steps([case["step"]], STEP).problems
    assert [problem.field for problem in problems] == [field for field, _ in case["problems"]]
    for problem, (_, words) in zip(problems, case["problems"], strict=True):
        assert words in problem.message
