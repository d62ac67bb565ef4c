"""Runs the cases of every registered node type: `decides` are steps with their outcomes, `refused` are bad steps."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.core.campaigns.compiler import compile_steps
from chalicelib.model.base import rfc3339
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.execution import DeliveryReceipt, Engagement, MessageOutcome, MessageResult
from chalicelib.model.ids import NodeId
from chalicelib.model.steps import NEXT, ChangeTags, Continue, Deliver, NodeOutcome, Step, StepContext, Stop, WaitUntil
from chalicelib.nodes.registry import NODE_TYPES, STEP, read_step
from tests.builders import NOW

CASES = Path(__file__).parent / "cases"
_MOMENT, _SPAN = TypeAdapter(datetime), TypeAdapter(timedelta)
_CONTACT = {"uid": "ann", "email": "ann@example.com", "createdAt": rfc3339(NOW), "updatedAt": rfc3339(NOW)}


def _cases(what: str) -> list[Any]:
    found = []
    for tag in (str(node_type.model_fields["type"].default) for node_type in NODE_TYPES):
        cases = json.loads((CASES / f"{tag.lower()}.json").read_text(encoding="utf-8"))[what]
        found += [pytest.param(tag, case, id=f"{tag}: {case['name']}") for case in cases]
    return found


def _read(step: Any) -> Step:
    return read_step(step)


def _context(given: dict[str, Any]) -> StepContext:
    """`enteredOffset` is when the walk came to the node, seen from `now`: "-PT2H" is two hours ago.

    `contact` has the fields of the API; `ago` is the age of a result, a receipt or an event, an hour if not said.
    """
    now = _MOMENT.validate_python(given["now"]) if "now" in given else NOW
    return StepContext(
        now=now,
        entered=now + _SPAN.validate_python(given.get("enteredOffset", "PT0S")),
        campaign="camp",
        node=NodeId(given["id"]),
        contact=Contact.model_validate_json(json.dumps(_CONTACT | given.get("contact", {}))),
        timezone=given.get("timezone", "UTC"),
        results={
            NodeId(node): MessageResult(
                MessageOutcome(each["outcome"]), _ago(now, each), channel=each.get("channel", "")
            )
            for node, each in given.get("results", {}).items()
        },
        receipts={
            NodeId(node): DeliveryReceipt(Engagement(each["engagement"]), _ago(now, each))
            for node, each in given.get("receipts", {}).items()
        },
        properties=given.get("properties", {}),
        history=tuple(
            Event(
                id=str(number),
                name=each["name"],
                contact_uid="ann",
                properties=each.get("properties", {}),
                occurred_at=_ago(now, each),
            )
            for number, each in enumerate(given.get("history", []))
        ),
    )


def _ago(now: datetime, given: dict[str, str]) -> datetime:
    return now - _SPAN.validate_python(given.get("ago", "PT1H"))


def _outcome(written: dict[str, Any]) -> NodeOutcome:
    match written:
        case {"type": "go"}:
            return Continue(written.get("exit", NEXT), written.get("why", ""))
        case {"type": "sleep", "until": until}:
            return WaitUntil(_MOMENT.validate_python(until))
        case {"type": "deliver"}:
            return Deliver()
        case {"type": "retag", "add": add, "remove": remove}:
            return ChangeTags(tuple(add), tuple(remove))
        case {"type": "stop"}:
            return Stop()
    raise ValueError(written)


@pytest.mark.parametrize(("tag", "case"), _cases("decides"))
def test_a_node_decides_as_its_case_says(tag: str, case: dict[str, Any]) -> None:
    assert case["step"]["type"] == tag
    context = _context({"id": case["step"]["id"], **case.get("context", {})})
    assert _read(case["step"]).decide(context) == _outcome(case["outcome"])


@pytest.mark.parametrize(("tag", "case"), _cases("decides"))
def test_a_node_leaves_only_by_its_own_ways_out(tag: str, case: dict[str, Any]) -> None:
    step = _read(case["step"])
    ways = {*step.exits, *(branch.exit for branch in step.branches)}
    decided = step.decide(_context({"id": case["step"]["id"], **case.get("context", {})}))
    match decided:
        case Continue(exit=exit_name):
            assert exit_name in ways
        case WaitUntil() | Deliver() | ChangeTags():
            assert NEXT in ways
        case Stop():
            assert ways == set()


@pytest.mark.parametrize(("tag", "case"), _cases("decides"))
def test_a_step_survives_being_stored(tag: str, case: dict[str, Any]) -> None:
    step = _read(case["step"])
    assert STEP.validate_json(STEP.dump_json(step)) == step


@pytest.mark.parametrize(("tag", "case"), _cases("refused"))
def test_a_type_by_its_own_model_refuses_what_any_type_refuses(tag: str, case: dict[str, Any]) -> None:
    step = case["step"]
    by_any = compile_steps([step], lambda written: STEP.validate_json(json.dumps(written)))
    assert compile_steps([step], read_step) == by_any


@pytest.mark.parametrize(("tag", "case"), _cases("refused"))
def test_a_bad_step_is_refused_with_every_problem(tag: str, case: dict[str, Any]) -> None:
    problems = compile_steps([case["step"]], read_step).problems
    assert [problem.field for problem in problems] == [field for field, _ in case["problems"]]
    for problem, (_, words) in zip(problems, case["problems"], strict=True):
        assert words in problem.message
