"""Test compiling authored steps to a graph or to all their problems."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.campaigns.compiler import MAX_NODES, Compiled, compile_steps, mermaid
from chalicelib.nodes.registry import read_step
from tests.builders import build_graph, end, send, wait

#: Node ids of Mermaid's lexer. A dash may be part of an id, but not where it begins an arrow.
_ID = r"(?:[A-Za-z0-9_]|-(?![->.]))+"
_LABEL = r'\["[^"<>\[\](){}|`\n\r]*"\]'
_LINE = re.compile(rf"  {_ID}(?:{_LABEL}| --> (?:{_ID}|finish\(\( \)\)))")


def _compile(*steps: object) -> Compiled:
    return compile_steps(steps, read_step)  # type: ignore[arg-type]  # clients may send any JSON


def test_steps_are_joined_in_the_order_written() -> None:
    graph = build_graph(send("hello"), wait("pause"), send("again"), end())
    assert graph.start == "hello"
    assert [node.id for node in graph] == ["hello", "pause", "again", "done"]
    assert [dict(node.exits) for node in graph] == [{"next": "pause"}, {"next": "again"}, {"next": "done"}, {}]


def test_without_an_end_the_last_step_leads_out() -> None:
    graph = build_graph(send("hello"), wait("pause"))
    assert graph.after(graph.nodes[graph.start or ""].id, "next") == "pause"  # type: ignore[index]  # str is a NodeId
    assert dict(list(graph)[-1].exits) == {"next": None}


def test_an_unknown_exit_is_a_key_error() -> None:
    graph = build_graph(send("hello"))
    with pytest.raises(KeyError):
        graph.after(next(iter(graph)).id, "opened")


def test_a_step_after_an_end_is_unreachable() -> None:
    problems = _compile(send("hello"), end("over"), send("late"), wait("later"), end("done")).problems
    assert [problem.field for problem in problems] == ["steps[2]"]
    assert "never reached" in problems[0].message.casefold()
    assert "over" in problems[0].message


def test_a_second_end_in_a_row_is_unreachable() -> None:
    assert [problem.field for problem in _compile(end("over"), end("done")).problems] == ["steps[1]"]


def test_a_repeated_id_names_its_first_use() -> None:
    problems = _compile(send("a"), wait("b"), wait("a"), send("b"), end("a")).problems
    assert {problem.field for problem in problems} == {"steps[2].id", "steps[3].id", "steps[4].id"}
    assert "steps[0]" in problems[0].message


def test_a_repeated_id_is_reported_after_an_unreadable_step() -> None:
    problems = _compile(send("a"), {"id": "b", "type": "SMOKE"}, wait("a")).problems
    assert {problem.field for problem in problems} == {"steps[1]", "steps[2].id"}


def test_a_repeated_id_of_an_unreadable_step_is_reported() -> None:
    problems = _compile(send("a"), {"id": "a", "type": "WAIT", "for": "soon"}).problems
    assert {problem.field for problem in problems} == {"steps[1].id", "steps[1].for"}


def test_a_campaign_without_steps_is_a_problem() -> None:
    compiled = _compile()
    assert compiled.graph.start is None
    assert [problem.field for problem in compiled.problems] == ["steps"]


def test_a_campaign_has_at_most_two_hundred_steps() -> None:
    steps = [wait(f"w{number}") for number in range(MAX_NODES + 1)]
    assert MAX_NODES == 200
    assert _compile(*steps[:-1]).problems == ()
    (problem,) = _compile(*steps).problems
    assert (problem.field, "200" in problem.message, "201" in problem.message) == ("steps", True, True)


def test_all_problems_of_all_steps_are_reported_together() -> None:
    problems = _compile({"id": "a"}, 7, wait("c", "soon"), {"id": "d e", "type": "SEND", "x": 1}).problems
    fields = {"steps[0]", "steps[1]", "steps[2].for", "steps[3].id", "steps[3].x", "steps[3].templateUid"}
    assert {problem.field for problem in problems} == fields


def test_a_long_id_is_not_quoted_back_at_length() -> None:
    (problem,) = _compile({"id": "x" * 10_000, "type": "END"}).problems
    assert len(problem.message) < 500


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_STEPS = st.fixed_dictionaries(
    {},
    optional={
        "id": _JSON | st.just("a"),
        "type": st.sampled_from(["SEND", "WAIT", "END"]) | _JSON,
        "for": st.dictionaries(st.sampled_from(["weeks", "days", "seconds"]), st.integers()) | _JSON,
        "templateUid": st.just("hello") | _JSON,
        "templateVersion": _JSON,
        "parameters": _JSON,
    },
)


@given(st.lists(_STEPS | _JSON, max_size=4))
def test_any_input_yields_problems_or_a_graph(steps: list[object]) -> None:
    compiled = _compile(*steps)
    assert compiled.problems or len(compiled.graph.nodes) == len(steps)
    assert all(problem.message for problem in compiled.problems)


def test_the_flowchart_shows_names_and_exits() -> None:
    lines = mermaid(build_graph(send("hello", name="Say hello"), wait("pause"))).split("\n")
    assert lines[0] == "flowchart TD"
    assert any("SEND: Say hello" in line for line in lines)
    assert any("WAIT: pause" in line for line in lines)
    assert lines[-1].endswith("--> finish(( ))")


@pytest.mark.parametrize(
    "name",
    [
        'x"] --> evil["y',
        "<script>alert(1)</script>",
        "a\nclick n_a href 'javascript:x'",
        "`code`",
        "#quot;",
        "&amp;",
        "%%{init: {}}%%",
        "a;b|c",
        "end",
        "line\u2028break",
    ],
)
def test_a_hostile_name_stays_a_label(name: str) -> None:
    first, *lines = mermaid(build_graph(send("hello", name=name), end())).split("\n")
    assert first == "flowchart TD"
    assert len(lines) == 3
    assert all(_LINE.fullmatch(line) for line in lines), lines


@pytest.mark.parametrize("id_", ["end", "graph", "subgraph", "a--b", "-", "--", "o--o", "x-", "1", "default", "style"])
def test_a_hostile_id_stays_a_node(id_: str) -> None:
    lines = mermaid(build_graph(send(id_), end("over"))).split("\n")[1:]
    assert all(_LINE.fullmatch(line) for line in lines), lines


def test_similar_ids_are_drawn_as_two_nodes() -> None:
    flowchart = mermaid(build_graph(send("a--b"), send("a-b"), send("a_b"))).split("\n")
    names = [line.partition("[")[0] for line in flowchart if "[" in line]
    assert len(set(names)) == 3
