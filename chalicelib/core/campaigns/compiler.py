"""Authored steps → graph, with every problem reported at once."""

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

#: api.md: a bigger campaign would not fit the dashboard, nor its statistics one DynamoDB item.
MAX_NODES = 200
#: Ids are at most this long; longer ones are wrong and need not be quoted in full.
MAX_NAMED = 40


#: Deeper nesting is not read by people either.
MAX_DEPTH = 10
#: One step as it was written → as its type has it. Raises ValidationError, RecursionError.
ReadStep = Callable[[JsonValue], Step]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The graph, as far as the steps could be read; it is only good to run when there are no problems."""

    graph: Graph
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceStep:
    """A step as it came, and where it stood; read, with what stands in its lanes, when it could be."""

    field: str
    raw: JsonValue
    step: Step | None
    lanes: tuple[tuple[Branch, tuple["SourceStep", ...]], ...] = ()

    @property
    def id(self) -> str | None:
        """Its id, as far as it has one; cut, since it comes from outside and goes into messages."""
        named = self.raw.get("id") if isinstance(self.raw, dict) else None
        return named[:MAX_NAMED] if isinstance(named, str) else None

    def problem(self, field: str, message: str) -> Problem:
        """A problem of this step, by its id where it has one."""
        return Problem(
            f"{self.field}.{field}" if field else self.field, f"step {self.id}: {message}" if self.id else message
        )


def compile_steps(steps: Sequence[JsonValue], read_step: ReadStep) -> Compiled:
    """Reads each step by `read_step` and joins them: in order, lanes gather, END stops."""
    problems: list[Problem] = []
    written = _read_all(steps, "steps", read_step, problems, 1)
    flat = list(_flat(written))
    if not steps:
        problems.append(Problem("steps", "A campaign needs at least one step"))
    if len(flat) > MAX_NODES:
        problems.append(Problem("steps", f"A campaign has at most {MAX_NODES} steps, this one has {len(flat)}"))
    problems += [*_repeated_ids(flat), *_unreached(written), *_bad_references(flat)]
    return Compiled(_Joiner(flat).join(written), tuple(problems))


def _read_all(
    steps: Sequence[JsonValue], field: str, read_step: ReadStep, problems: list[Problem], depth: int
) -> tuple[SourceStep, ...]:
    if steps and depth > MAX_DEPTH:
        problems.append(Problem(field, f"Lanes are nested at most {MAX_DEPTH - 1} deep"))
        return ()
    return tuple(_read(step, f"{field}[{index}]", read_step, problems, depth) for index, step in enumerate(steps))


def _read(raw: JsonValue, field: str, read_step: ReadStep, problems: list[Problem], depth: int) -> SourceStep:
    try:
        step = read_step(raw)
    except RecursionError:
        problems.append(Problem(field, "is nested too deep"))
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


def _flat(written: Sequence[SourceStep]) -> Iterator[SourceStep]:
    """All steps in the order in which they are written."""
    for each in written:
        yield each
        for _, inside in each.lanes:
            yield from _flat(inside)


def _repeated_ids(flat: Sequence[SourceStep]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for each in flat:
        if each.id is not None and first.setdefault(each.id, each.field) != each.field:
            yield each.problem("id", f"{first[each.id]} has this id too")


def _goes_on(written: Sequence[SourceStep]) -> bool:
    """Whether a contact that begins this list can come to its end."""
    return all(_passes(each) for each in written)


def _passes(written: SourceStep) -> bool:
    step = written.step
    return step is None or bool(step.exits) or any(_goes_on(inside) for _, inside in written.lanes)


def _unreached(written: Sequence[SourceStep]) -> Iterator[Problem]:
    """In each list the first step that nobody can come to."""
    for each, following in pairwise(written):
        if not _passes(each):
            yield following.problem("", f"is never reached, since the walk ends at {each.id} before it")
            break
    for each in written:
        for _, inside in each.lanes:
            yield from _unreached(inside)


def _bad_references(flat: Sequence[SourceStep]) -> Iterator[Problem]:
    """A step may look at messages of SENDs that are written before it."""
    seen: dict[str, bool] = {}
    for each in flat:
        for reference in dict.fromkeys(each.step.refers_to if each.step else ()):
            if reference.node not in seen:
                later = any(other.id == reference.node for other in flat)
                yield each.problem(reference.field, f"{reference.node} {'comes later' if later else 'is no step'}")
            elif not seen[reference.node]:
                yield each.problem(reference.field, f"{reference.node} sends no message")
        if each.id is not None:
            seen.setdefault(each.id, each.step is None or each.step.delivers)


class _Joiner:
    """Makes nodes of steps. Steps whose id is taken get nodes all the same, so that they are looked at too."""

    def __init__(self, flat: Sequence[SourceStep]) -> None:
        taken: Counter[str] = Counter()
        self._ids: dict[str, NodeId] = {}
        for each in flat:
            if each.step is not None:
                taken[each.step.id] += 1
                again = f"#{taken[each.step.id]}" if taken[each.step.id] > 1 else ""
                self._ids[each.field] = NodeId(each.step.id + again)
        self._nodes: dict[NodeId, Node] = {}

    def join(self, written: Sequence[SourceStep]) -> Graph:
        start = self._link(written, None)
        ordered = {own: self._nodes[own] for own in self._ids.values()}
        return Graph(start, ordered)

    def _link(self, written: Sequence[SourceStep], after: NodeId | None) -> NodeId | None:
        """Joins a list from its end; the node with which it begins, or what comes after it when it is empty."""
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
    """The graph as a Mermaid flowchart, as GitHub draws it."""
    names = {node.id: f"n{number}" for number, node in enumerate(graph)}
    lines = ["flowchart TD"]
    for node in graph:
        label = (node.step.name or node.id).translate(_MERMAID_ESCAPES)
        lines.append(f'  {names[node.id]}["{node.step.type}: {label}"]')
        for name, after in node.exits.items():
            lane = "" if name == NEXT else f'|"{name.translate(_MERMAID_ESCAPES)}"| '
            lines.append(f"  {names[node.id]} --> {lane}{names[after] if after else 'finish(( ))'}")
    return "\n".join(lines)


#: Mermaid reads quotes, brackets and backticks in a label as its own; entities pass.
_MERMAID_ESCAPES = {ord(sign): f"#{ord(sign)};" for sign in "\"'<>[](){}|`#;&\n\r"}
