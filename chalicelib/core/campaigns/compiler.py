"""Compile the authored steps of a campaign to a graph, and report all problems."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pydantic import JsonValue, ValidationError

from chalicelib.errors import Problem
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId
from chalicelib.model.steps import NEXT, Branch, Step
from chalicelib.model.validation_problems import validation_problems

#: The statistics of a campaign with more nodes would not fit one DynamoDB item, nor the campaign the dashboard.
MAX_NODES = 200
#: Longest valid step id, in characters. Messages quote a longer one only up to here.
MAX_QUOTED_ID = 40


#: Deepest list of steps; people cannot follow a deeper one.
MAX_DEPTH = 10
#: Reads one step. Raises ValidationError or RecursionError.
ReadStep = Callable[[JsonValue], Step]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The graph of all readable steps. It may run only if there are no problems."""

    graph: Graph
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceStep:
    """A step as authored, with its path. `step` and `lanes` are set if it could be read."""

    field: str
    raw: JsonValue
    step: Step | None
    lanes: tuple[tuple[Branch, tuple["SourceStep", ...]], ...] = ()

    @property
    def id(self) -> str | None:
        """The authored id, or None. It is shortened, because it is user input that is quoted in messages."""
        named = self.raw.get("id") if isinstance(self.raw, dict) else None
        return named[:MAX_QUOTED_ID] if isinstance(named, str) else None

    def problem(self, field: str, message: str) -> Problem:
        """Return a problem of this step. The message names the id, if there is one."""
        return Problem(
            f"{self.field}.{field}" if field else self.field, f"step {self.id}: {message}" if self.id else message
        )


def compile_steps(steps: Sequence[JsonValue], read_step: ReadStep) -> Compiled:
    """Compile steps. They run in order, the lanes of a split join after it, and END stops."""
    problems: list[Problem] = []
    written = _read_all(steps, "steps", read_step, problems, 1)
    flat = list(_flatten(written))
    if not steps:
        problems.append(Problem("steps", "A campaign needs at least one step"))
    if len(flat) > MAX_NODES:
        problems.append(Problem("steps", f"at most {MAX_NODES} steps per campaign; this one has {len(flat)}"))
    problems += [*_repeated_ids(flat), *_unreachable(written), *_bad_references(flat)]
    return Compiled(_Joiner(flat).join(written), tuple(problems))


def _read_all(
    steps: Sequence[JsonValue], field: str, read_step: ReadStep, problems: list[Problem], depth: int
) -> tuple[SourceStep, ...]:
    if steps and depth > MAX_DEPTH:
        problems.append(Problem(field, f"lanes may be nested at most {MAX_DEPTH - 1} deep"))
        return ()
    return tuple(_read(step, f"{field}[{index}]", read_step, problems, depth) for index, step in enumerate(steps))


def _read(raw: JsonValue, field: str, read_step: ReadStep, problems: list[Problem], depth: int) -> SourceStep:
    try:
        step = read_step(raw)
    except RecursionError:
        problems.append(Problem(field, "is nested too deeply"))
        return SourceStep(field, None, None)
    except ValidationError as error:
        broken = SourceStep(field, raw, None)
        problems += [
            replace(broken.problem("", p.message), field=p.field) for p in validation_problems(error, field, raw)
        ]
        return broken
    lanes = tuple(
        (branch, _read_all(branch.steps, f"{field}.{branch.field}", read_step, problems, depth + 1))
        for branch in step.branches
    )
    return SourceStep(field, raw, step, lanes)


def _flatten(written: Sequence[SourceStep]) -> Iterator[SourceStep]:
    """Yield all steps in authored order."""
    for each in written:
        yield each
        for _, inside in each.lanes:
            yield from _flatten(inside)


def _repeated_ids(flat: Sequence[SourceStep]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for each in flat:
        if each.id is not None and first.setdefault(each.id, each.field) != each.field:
            yield each.problem("id", f"{first[each.id]} has the same id; use another one")


def _reaches_end(written: Sequence[SourceStep]) -> bool:
    """Return whether a contact can pass all steps of the list."""
    return all(_can_continue(each) for each in written)


def _can_continue(written: SourceStep) -> bool:
    step = written.step
    return step is None or bool(step.exits) or any(_reaches_end(inside) for _, inside in written.lanes)


def _unreachable(written: Sequence[SourceStep]) -> Iterator[Problem]:
    """Yield a problem for the first unreachable step of each list."""
    for each, following in pairwise(written):
        if not _can_continue(each):
            yield following.problem("", f"is never reached, because the path ends at {each.id}")
            break
    for each in written:
        for _, inside in each.lanes:
            yield from _unreachable(inside)


def _bad_references(flat: Sequence[SourceStep]) -> Iterator[Problem]:
    """Yield a problem for each reference to a message that no earlier SEND step sends."""
    seen: dict[str, bool] = {}
    for each in flat:
        for reference in dict.fromkeys(each.step.references if each.step else ()):
            if reference.node not in seen:
                later = any(other.id == reference.node for other in flat)
                yield each.problem(reference.field, f"{reference.node} {'comes later' if later else 'is no step'}")
            elif not seen[reference.node]:
                yield each.problem(reference.field, f"{reference.node} sends no message")
        if each.id is not None:
            seen.setdefault(each.id, each.step is None or each.step.delivers)


class _Joiner:
    """Builds the nodes. A step with a repeated id gets a node too, so all its fields are checked."""

    def __init__(self, flat: Sequence[SourceStep]) -> None:
        uses: Counter[str] = Counter()
        self._ids: dict[str, NodeId] = {}
        for each in flat:
            if each.step is not None:
                uses[each.step.id] += 1
                suffix = f"#{uses[each.step.id]}" if uses[each.step.id] > 1 else ""
                self._ids[each.field] = NodeId(each.step.id + suffix)
        self._nodes: dict[NodeId, Node] = {}

    def join(self, written: Sequence[SourceStep]) -> Graph:
        start = self._link(written, None)
        ordered = {own: self._nodes[own] for own in self._ids.values()}
        return Graph(start, ordered)

    def _link(self, written: Sequence[SourceStep], after: NodeId | None) -> NodeId | None:
        """Link a list from its end. Returns its first node, or `after` if the list is empty."""
        for each in reversed(written):
            if each.step is None:
                continue
            own = self._ids[each.field]
            exits = dict.fromkeys(each.step.exits, after)
            exits |= {branch.exit: self._link(inside, after) for branch, inside in each.lanes}
            self._nodes[own] = Node(own, each.step, exits, each.field)
            after = own
        return after


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart, which GitHub renders."""
    names = {node.id: f"n{number}" for number, node in enumerate(graph)}
    lines = ["flowchart TD"]
    for node in graph:
        label = (node.step.name or node.id).translate(_MERMAID_ESCAPES)
        lines.append(f'  {names[node.id]}["{node.step.type}: {label}"]')
        for name, after in node.exits.items():
            lane = "" if name == NEXT else f'|"{name.translate(_MERMAID_ESCAPES)}"| '
            lines.append(f"  {names[node.id]} --> {lane}{names[after] if after else 'finish(( ))'}")
    return "\n".join(lines)


#: Mermaid interprets quotes, brackets and backticks in a label, so they are written as entities.
_MERMAID_ESCAPES = {ord(sign): f"#{ord(sign)};" for sign in "\"'<>[](){}|`#;&\n\r"}
