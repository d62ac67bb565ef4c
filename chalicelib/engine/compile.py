"""Authored steps → graph, with every problem reported at once."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue, TypeAdapter, ValidationError

from chalicelib.errors import Problem
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId
from chalicelib.model.problems import read_problems
from chalicelib.model.steps import Step

#: api.md: a bigger campaign would not fit the dashboard, nor its statistics one DynamoDB item.
MAX_NODES = 200
#: Ids are at most this long; longer ones are wrong and need not be quoted in full.
MAX_NAMED = 40


@dataclass(frozen=True, slots=True)
class Compiled:
    """The graph, as far as the steps could be read; it is only good to run when there are no problems."""

    graph: Graph
    problems: tuple[Problem, ...] = ()


def compile_steps(steps: Sequence[JsonValue], reader: TypeAdapter[Step]) -> Compiled:
    """Reads each step by the node types of `reader` and joins them in order."""
    problems: list[Problem] = []
    written = [Written(f"steps[{index}]", step) for index, step in enumerate(steps)]
    read = {each.field: step for each in written if (step := _read(each, reader, problems)) is not None}
    problems += _repeated_ids(written) + _never_reached(written, read)
    if not steps:
        problems.append(Problem("steps", "A campaign needs at least one step"))
    if len(steps) > MAX_NODES:
        problems.append(Problem("steps", f"A campaign has at most {MAX_NODES} steps, this one has {len(steps)}"))
    return Compiled(_join(read), tuple(problems))


@dataclass(frozen=True, slots=True)
class Written:
    """A step as it came, and where it stood."""

    field: str
    step: JsonValue

    @property
    def id(self) -> str | None:
        """Its id, as far as it has one; cut, since it comes from outside and goes into messages."""
        named = self.step.get("id") if isinstance(self.step, dict) else None
        return named[:MAX_NAMED] if isinstance(named, str) else None


def _read(written: Written, reader: TypeAdapter[Step], problems: list[Problem]) -> Step | None:
    try:
        return reader.validate_json(json.dumps(written.step))
    except ValidationError as error:
        about = f"step {written.id}: " if written.id else ""
        problems += [Problem(p.field, about + p.message) for p in read_problems(error, written.field, written.step)]
        return None


def _repeated_ids(written: Sequence[Written]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for each in written:
        if each.id is not None and first.setdefault(each.id, each.field) != each.field:
            problems.append(Problem(f"{each.field}.id", f"step {each.id}: {first[each.id]} has this id too"))
    return problems


def _never_reached(written: Sequence[Written], read: Mapping[str, Step]) -> list[Problem]:
    for each, following in pairwise(written):
        step = read.get(each.field)
        if step is not None and not step.exits:
            named = f"step {following.id}: " if following.id else ""
            return [Problem(following.field, f"{named}is never reached, since step {step.id} ends the walk before it")]
    return []


def _join(read: Mapping[str, Step]) -> Graph:
    """Steps whose id is taken get nodes of their own all the same, so that what is wrong with them is found too."""
    taken: Counter[str] = Counter()
    ids = []
    for step in read.values():
        taken[step.id] += 1
        ids.append(NodeId(step.id if taken[step.id] == 1 else f"{step.id}#{taken[step.id]}"))
    nodes = {
        own: Node(own, step, dict.fromkeys(step.exits, after), field)
        for own, (field, step), after in zip(ids, read.items(), [*ids[1:], None], strict=bool(ids))
    }
    return Graph(ids[0] if ids else None, nodes)


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart, as GitHub draws it."""
    names = {node.id: f"n{number}" for number, node in enumerate(graph)}
    lines = ["flowchart TD"]
    for node in graph:
        label = (node.step.name or node.id).translate(_MERMAID_ESCAPES)
        lines.append(f'  {names[node.id]}["{type(node.step).__name__.upper()}: {label}"]')
        lines += [f"  {names[node.id]} --> {names[after] if after else 'finish(( ))'}" for after in node.exits.values()]
    return "\n".join(lines)


#: Mermaid reads quotes, brackets and backticks in a label as its own; entities pass.
_MERMAID_ESCAPES = {ord(sign): f"#{ord(sign)};" for sign in "\"'<>[](){}|`#;&\n\r"}
