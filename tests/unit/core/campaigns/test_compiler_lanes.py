"""Test lanes: they become exits, join after the split, and are checked at every depth."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.campaigns.compiler import MAX_DEPTH, MAX_NODES, Compiled, compile_steps, mermaid
from chalicelib.model.graph import Graph
from chalicelib.model.ids import NodeId
from chalicelib.nodes.registry import read_step
from tests.builders import ab_test, build_graph, condition, end, send, tag, wait

VIP = {"tag": "vip"}


def _compile(*steps: object) -> Compiled:
    return compile_steps(steps, read_step)  # type: ignore[arg-type]  # clients may send any JSON


def _exits(graph: Graph) -> dict[str, dict[str, str | None]]:
    return {node.id: dict(node.exits) for node in graph}


def _fields(*steps: object) -> list[str]:
    return [problem.field for problem in _compile(*steps).problems]


def test_lanes_join_after_the_split() -> None:
    graph = build_graph(condition("c", VIP, [tag("t", "a"), wait("w")], [send("s")]), send("after"))
    assert graph.start == "c"
    assert _exits(graph) == {
        "c": {"yes": "t", "no": "s"},
        "t": {"next": "w"},
        "w": {"next": "after"},
        "s": {"next": "after"},
        "after": {"next": None},
    }
    assert list(_exits(graph)) == ["c", "t", "w", "s", "after"]


def test_an_empty_lane_continues_after_the_split() -> None:
    graph = build_graph(ab_test("ab", A=[], B=[send("s")]), end())
    assert _exits(graph)["ab"] == {"A": "done", "B": "s"}


def test_an_empty_split_at_the_end_leads_out() -> None:
    assert _exits(build_graph(ab_test("ab", A=[], B=[]))) == {"ab": {"A": None, "B": None}}


def test_an_end_stops_only_its_lane() -> None:
    graph = build_graph(condition("c", VIP, [send("bye"), end("stop")], []), send("after"))
    exits = _exits(graph)
    assert (exits["c"], exits["bye"], exits["stop"]) == ({"yes": "bye", "no": "after"}, {"next": "stop"}, {})


def test_contacts_without_a_lane_continue_after_the_split() -> None:
    graph = build_graph(condition("c", VIP, [end("stop")]), send("after"))
    assert _exits(graph)["c"] == {"yes": "stop", "gone": "after", "otherwise": "after"}


def test_nested_lanes_join_from_the_inside_out() -> None:
    inner = condition("inner", VIP, [tag("t", "a")], [])
    exits = _exits(build_graph(ab_test("outer", A=[inner, wait("w")], B=[]), send("after")))
    assert (exits["inner"], exits["t"], exits["w"]) == ({"yes": "t", "no": "w"}, {"next": "w"}, {"next": "after"})


def test_lanes_of_a_split_at_the_end_of_a_lane_join_after_the_outer_split() -> None:
    inner = condition("inner", VIP, [], [end("stop")])
    exits = _exits(build_graph(ab_test("outer", A=[inner], B=[]), send("after")))
    assert exits["inner"] == {"yes": "after", "no": "stop"}


def test_a_step_after_a_split_with_only_ended_lanes_is_unreachable() -> None:
    split = ab_test("ab", A=[end("a")], B=[wait("w"), end("b")])
    (problem,) = _compile(split, send("late"), end()).problems
    assert (problem.field, "ab" in problem.message) == ("steps[1]", True)
    assert _fields(ab_test("outer", A=[split, send("late")], B=[]), end()) == ["steps[0].lanes[0].steps[1]"]
    nested = condition("c", VIP, [split], [end("e")])
    assert _fields(nested, end()) == ["steps[1]"]


def test_a_step_after_a_split_with_an_open_exit_is_reachable() -> None:
    assert _fields(condition("c", VIP, [end("e")]), end()) == []
    assert _fields(condition("c", VIP, [end("e")], []), end()) == []


def test_a_step_after_an_end_in_a_lane_is_unreachable() -> None:
    assert _fields(condition("c", VIP, [end("stop"), send("late")], []), end()) == ["steps[0].lanes[0].steps[1]"]


def test_an_unreadable_step_does_not_count_as_an_end() -> None:
    split = ab_test("ab", A=[end("a")], B=[{"id": "b", "type": "SMOKE"}])
    assert _fields(split, send("after")) == ["steps[0].lanes[1].steps[0]"]


def test_problems_in_lanes_name_the_whole_path_and_the_step() -> None:
    inner = ab_test("ab", A=[wait("ok")], B=[send("s"), {"id": "x", "type": "SEND"}])
    split = condition("c", VIP, [wait("a"), send("b"), wait("bad", "soon")], [inner])
    problems = _compile(wait("first"), split).problems
    assert [problem.field for problem in problems] == [
        "steps[1].lanes[0].steps[2].for",
        "steps[1].lanes[1].steps[0].lanes[1].steps[1].templateUid",
    ]
    assert [problem.message.partition(":")[0] for problem in problems] == ["step bad", "step x"]


def test_an_unreadable_split_reports_its_own_problem() -> None:
    broken = {"id": "ab", "type": "AB_TEST", "lanes": [{"label": "A", "weight": 101}, {"label": "B", "weight": 0}]}
    assert _fields(broken, end()) == ["steps[0].lanes[0].weight"]


def test_ids_are_unique_over_all_lanes() -> None:
    split = condition("c", VIP, [send("a"), send("c")], [send("a"), ab_test("ab", A=[send("b")], B=[send("b")])])
    problems = _compile(send("first"), split, send("a")).problems
    assert [problem.field for problem in problems] == [
        "steps[1].lanes[0].steps[1].id",
        "steps[1].lanes[1].steps[0].id",
        "steps[1].lanes[1].steps[1].lanes[1].steps[0].id",
        "steps[2].id",
    ]
    assert "steps[1].lanes[0].steps[0]" in problems[1].message


def test_all_steps_with_the_same_id_are_checked() -> None:
    graph = _compile(condition("c", VIP, [send("a")], [send("a")])).graph
    assert sorted(node.field for node in graph) == [
        "steps[0]",
        "steps[0].lanes[0].steps[0]",
        "steps[0].lanes[1].steps[0]",
    ]


def _deep(levels: int) -> dict[str, Any]:
    step: dict[str, Any] = wait("w")
    for level in range(levels - 1, 0, -1):
        step = condition(f"c{level}", VIP, [step], [])
    return step


def test_lanes_are_nested_at_most_ten_levels_deep() -> None:
    assert MAX_DEPTH == 10
    assert len(build_graph(_deep(10), end()).nodes) == 11
    (problem,) = _compile(_deep(11), end()).problems
    assert problem.field == "steps[0]" + ".lanes[0].steps[0]" * 9 + ".lanes[0].steps"
    assert "deep" in problem.message


@pytest.mark.parametrize("levels", [12, 60, 200])
def test_very_deep_nesting_is_a_problem(levels: int) -> None:
    assert _compile(_deep(levels)).problems


def test_steps_are_counted_over_all_lanes() -> None:
    lanes = [[wait(f"{lane}{number}") for number in range(49)] for lane in "abcd"]
    split = ab_test("ab", A=lanes[0], B=lanes[1], C=lanes[2], D=lanes[3])
    full = [split, wait("x"), wait("y"), wait("z")]
    assert MAX_NODES == 200
    assert _fields(*full) == []
    (problem,) = _compile(*full, end()).problems
    assert (problem.field, "201" in problem.message) == ("steps", True)


def _asks(uid: str, message: str) -> dict[str, Any]:
    return condition(uid, {"message": message, "is": "opened"}, [], [])


def test_a_condition_may_refer_to_earlier_messages() -> None:
    inside = condition("c", VIP, [send("b"), _asks("d", "a")], [_asks("e", "a")])
    assert _fields(send("a"), inside, _asks("f", "b"), end()) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [("later", "later comes later"), ("gone", "gone is no step"), ("pause", "pause sends no message")],
)
def test_a_condition_on_anything_else_is_a_problem(message: str, words: str) -> None:
    (problem,) = _compile(send("a"), wait("pause"), _asks("c", message), send("later")).problems
    assert problem.field == "steps[2].lanes[0].when"
    assert problem.message.startswith("step c: ")
    assert words in problem.message


def test_a_condition_on_a_split_or_a_tag_is_a_problem() -> None:
    steps = [ab_test("ab", A=[], B=[]), tag("t", "x"), _asks("c", "ab"), _asks("d", "t")]
    assert _fields(*steps) == ["steps[2].lanes[0].when", "steps[3].lanes[0].when"]


def test_a_condition_on_a_message_in_its_own_lanes_is_a_problem() -> None:
    (problem,) = _compile(condition("c", {"message": "in", "is": "sent"}, [send("in")], [])).problems
    assert "comes later" in problem.message


def test_a_condition_on_an_unreadable_send_is_no_second_problem() -> None:
    assert _fields({"id": "a", "type": "SEND"}, _asks("c", "a")) == ["steps[0].templateUid"]


def test_every_bad_reference_of_a_nested_condition_is_reported() -> None:
    when = {"any": [{"message": "x", "is": "opened"}, {"not": {"all": [{"message": "y", "channelUsed": "sms"}]}}]}
    problems = _compile(condition("c", when, [], [])).problems
    assert [problem.message for problem in problems] == ["step c: x is no step", "step c: y is no step"]


#: What Mermaid reads: a node with a label, or an arrow with or without one.
_LINE = re.compile(
    r"""  n\d+(?:\["[^"<>\[\](){}|`\n\r]*"\]|\ -->(?:\ ?\|"?[^"<>\[\](){}|`\n\r]+"?\|)?\ (?:n\d+|finish\(\(\ \)\)))"""
)


def test_arrows_out_of_a_split_name_their_lanes() -> None:
    flowchart = mermaid(build_graph(condition("c", VIP, [send("s")], []), end()))
    arrows = [line for line in flowchart.split("\n") if line.startswith("  n0 -->")]
    assert len(arrows) == 2
    assert "yes" in arrows[0]
    assert "no" in arrows[1]
    assert all(_LINE.fullmatch(line) for line in flowchart.split("\n")[1:]), flowchart


@pytest.mark.parametrize(
    "label",
    [
        'x"| evil["y"]', "|", "a|b", "<script>alert(1)</script>", "a\nclick n0 href 'javascript:x'", "`code`", "#quot;",
        "&amp;", "%%{init: {}}%%", "end", "--> n1", "a;b", "(( ))", "line\u2028break", "next", "\u202egnp",
    ],
)  # fmt: skip
def test_a_hostile_label_stays_a_label(label: str) -> None:
    split = {
        "id": "ab",
        "type": "AB_TEST",
        "lanes": [{"label": label, "weight": 50}, {"label": "other", "weight": 50}],
    }
    graph = build_graph(split, end())
    assert set(graph.nodes[NodeId("ab")].exits) == {label, "other"}
    first, *lines = mermaid(graph).split("\n")
    assert (first, len(lines)) == ("flowchart TD", 4)
    assert all(_LINE.fullmatch(line) for line in lines), lines


_WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
_LEAVES = st.one_of(
    _WORDS.map(send),
    _WORDS.map(wait),
    _WORDS.map(end),
    _WORDS.map(lambda word: tag(word, "x")),
    _WORDS.map(lambda word: wait(word, "soon")),
)


def _splits(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    whens = st.just(VIP) | _WORDS.map(lambda word: {"message": word, "is": "opened"})
    ids = st.integers(0, 10**6).map(lambda number: f"s{number}")
    return st.builds(condition, ids, whens, lists, st.none() | lists) | st.builds(
        lambda uid, one, two: ab_test(uid, A=one, B=two), ids, lists, lists
    )


_TREES = st.lists(st.recursive(_LEAVES, _splits, max_leaves=12), max_size=5)


def _renamed(steps: list[Any], names: Iterator[int]) -> list[Any]:
    """Return the same steps with unique ids, and conditions that refer only to existing messages."""
    return [
        {
            **step,
            "id": f"n{next(names)}",
            **({"lanes": [_lane(lane, names) for lane in step["lanes"]]} if "lanes" in step else {}),
        }
        for step in steps
    ]


def _lane(lane: dict[str, Any], names: Iterator[int]) -> dict[str, Any]:
    inside = {**lane, "steps": _renamed(lane.get("steps", []), names)}
    return {**inside, "when": VIP} if "when" in inside else inside


def _reachable(graph: Graph) -> set[str]:
    """Return the reachable nodes. Fails on a loop."""
    order = {node.id: number for number, node in enumerate(graph)}
    seen: set[str] = set()
    waiting = [graph.start] if graph.start else []
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for after in graph.nodes[here].exits.values():
            assert after is None or order[after] > order[here], "a way back"
            waiting += [after] if after else []
    return seen


@given(_TREES)
def test_every_tree_compiles_to_an_acyclic_graph_and_unreachable_steps_are_problems(steps: list[Any]) -> None:
    for written in (steps, _renamed(steps, iter(range(10_000)))):
        compiled = _compile(*written)
        reached = _reachable(compiled.graph)
        unreached = set(compiled.graph.nodes) - reached
        reported = [problem for problem in compiled.problems if "never reached" in problem.message]
        assert bool(reported) == bool(unreached) or len(compiled.problems) > len(reported)
        if not compiled.problems:
            assert unreached == set()


@given(_TREES)
def test_only_unreachable_steps_are_reported_as_such(steps: list[Any]) -> None:
    """Steps after an unreadable step are left out, because they might be reachable."""
    compiled = _compile(*_renamed(steps, iter(range(10_000))))
    if any("never reached" not in problem.message for problem in compiled.problems):
        return
    reached = _reachable(compiled.graph)
    named = {node.field for node in compiled.graph if node.id not in reached}
    assert {problem.field for problem in compiled.problems} <= named
    # Only the first unreachable step of a list is reported. It covers the steps after and inside it.
    for field in named:
        assert any(_covers(problem.field, field) for problem in compiled.problems), field


def _covers(named: str, field: str) -> bool:
    """Return whether `field` is the reported step, a later step of its list, or inside one of them."""
    above, _, index = named.removesuffix("]").rpartition("[")
    if not field.startswith(f"{above}["):
        return False
    return int(field[len(above) + 1 :].partition("]")[0]) >= int(index)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_LANES = st.fixed_dictionaries(
    {},
    optional={
        "label": _JSON | st.sampled_from(["A", "B", "otherwise", "next"]),
        "weight": _JSON | st.integers(0, 100),
        "when": _JSON | st.just(VIP) | st.fixed_dictionaries({"message": _JSON, "is": st.just("opened")}),
        "steps": st.lists(_JSON | _LEAVES, max_size=2) | _JSON,
    },
)
_ODD = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b"]) | _JSON},
    optional={
        "type": st.sampled_from(["CONDITION", "AB_TEST", "TAG", "WAIT"]) | _JSON,
        "lanes": st.lists(_LANES, max_size=3) | _JSON,
        "add": _JSON | st.lists(st.text(max_size=3), max_size=3),
        "remove": _JSON,
        "until": _JSON | st.datetimes().map(lambda moment: f"{moment.isoformat()}-12:00"),
        "localTime": _JSON | st.times().map(lambda time: f"{time:%H:%M}"),
        "weekdays": _JSON,
    },
)


@given(st.lists(_ODD | _JSON, max_size=4))
def test_any_input_yields_problems_or_a_graph(steps: list[object]) -> None:
    compiled = _compile(*steps)
    assert compiled.problems or compiled.graph.nodes
    assert all(problem.message for problem in compiled.problems)
    mermaid(compiled.graph)


@pytest.mark.parametrize("levels", [300, 900, 2_000])
def test_very_deep_json_is_a_problem_and_no_crash(levels: int) -> None:
    pit: Any = "bottom"
    for _ in range(levels):
        pit = [pit]
    for step in (pit, {"id": "x", "type": "TAG", "add": pit}, {"id": "x", "type": "CONDITION", "lanes": pit}):
        assert _compile(step).problems
