"""AB_TEST splits a hundred thousand contacts by its weights, each of them always the same way."""

from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

from chalicelib.model.contact import Contact
from chalicelib.model.ids import NodeId
from chalicelib.model.steps import Continue, Step, StepContext
from chalicelib.nodes.registry import STEP
from tests.builders import NOW, build_contact

MANY = 100_000
WEIGHTS = {"A": 50, "B": 30, "C": 20}


def _split(weights: dict[str, int]) -> Step:
    lanes: list[dict[str, Any]] = [{"label": label, "weight": weight} for label, weight in weights.items()]
    return STEP.validate_python({"id": "which", "type": "AB_TEST", "lanes": lanes}, strict=False)


@cache
def _contacts() -> tuple[Contact, ...]:
    ann = build_contact()
    return tuple(ann.model_copy(update={"uid": f"contact-{number}"}) for number in range(MANY))


def _lanes(step: Step, campaign: str = "camp", node: str = "which", later: timedelta = timedelta(0)) -> list[str]:
    name, now = NodeId(node), NOW + later
    decided = [step.decide(StepContext(now, NOW, campaign, name, each, "UTC", {}, {})) for each in _contacts()]
    return [outcome.exit for outcome in decided if isinstance(outcome, Continue)]


def test_a_hundred_thousand_contacts_split_within_half_a_point_the_same_way_each_time() -> None:
    taken = _lanes(_split(WEIGHTS))
    shares = {label: 100 * count / MANY for label, count in Counter(taken).items()}
    assert all(abs(shares[label] - weight) <= 0.5 for label, weight in WEIGHTS.items()), shares
    assert _lanes(_split(WEIGHTS), later=timedelta(days=30)) == taken


def test_other_nodes_and_other_campaigns_split_independently() -> None:
    halves = _split({"A": 50, "B": 50})
    first, node, campaign = _lanes(halves), _lanes(halves, node="again"), _lanes(halves, campaign="other")
    for other in (node, campaign):
        pairs = Counter(zip(first, other, strict=True))
        assert len(pairs) == 4
        assert all(abs(100 * count / MANY - 25) <= 0.5 for count in pairs.values()), pairs


def test_moving_weight_moves_only_those_who_must() -> None:
    before, after = _lanes(_split({"A": 50, "B": 50})), _lanes(_split({"A": 60, "B": 40}))
    moved = Counter(zip(before, after, strict=True))
    assert ("A", "B") not in moved
    assert abs(100 * moved["B", "A"] / MANY - 10) <= 0.5
