"""Test the predicted visits of each node and the most expensive path."""

from typing import Any

import pytest

from chalicelib.core.launching.forecast import expected_visits, max_cost_path
from chalicelib.model.ids import NodeId
from tests.builders import ab_test, build_graph, condition, end, send, wait

VIP = {"tag": "vip"}


def _visits(*steps: dict[str, Any], **counters: int) -> dict[str, float]:
    named = {name.replace("__", "."): count for name, count in counters.items()}
    return {node: round(share, 4) for node, share in expected_visits(build_graph(*steps), named).items()}


def test_without_splits_every_contact_visits_every_node() -> None:
    assert set(_visits(send("one"), wait("pause"), send("two"), end()).values()) == {1.0}


def test_an_ab_test_splits_by_its_weights_and_not_as_in_earlier_flows() -> None:
    split = ab_test("split", A=[send("a")], B=[send("b")], C=[])
    visits = _visits(split, send("after"), node__split__left__A=100)
    assert (visits["a"], visits["b"], visits["after"]) == (0.33, 0.33, 1.0)


def test_a_condition_splits_evenly_or_else_as_in_earlier_flows() -> None:
    steps = condition("vip", VIP, [send("yes")], [send("no"), end()]), send("after")
    assert _visits(*steps) == {"vip": 1.0, "yes": 0.5, "no": 0.5, "done": 0.5, "after": 0.5}
    counters = _visits(*steps, node__vip__left__yes=30, node__vip__left__no=10, node__other__left__no=99)
    assert (counters["yes"], counters["no"], counters["after"]) == (0.75, 0.25, 0.75)


def test_splits_inside_splits_multiply() -> None:
    inner = condition("inner", VIP, [send("deep")], [])
    assert _visits(ab_test("outer", A=[inner], B=[]), send("after"))["deep"] == 0.25


@pytest.mark.parametrize(
    ("costs", "dearest"),
    [({}, 0), ({"one": 5}, 5), ({"one": 5, "yes": 7, "no": 9, "more": 1, "after": 2}, 17),
     ({"yes": 7, "after": 2, "no": 3}, 9), ({"yes": 1, "no": 100}, 100)],
)  # fmt: skip
def test_the_most_expensive_path_is_found(costs: dict[str, int], dearest: int) -> None:
    lanes = condition("vip", VIP, [send("yes")], [send("no"), send("more")])
    graph = build_graph(send("one"), lanes, send("after"))
    assert max_cost_path(graph, {NodeId(node): cost for node, cost in costs.items()}) == dearest
