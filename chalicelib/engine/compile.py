"""Authored steps → graph, with every problem reported at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter, ValidationError

from chalicelib.errors import Problem
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId
from chalicelib.model.problems import read_problems
from chalicelib.model.steps import Step

#: api.md: a bigger campaign would not fit the dashboard, nor its statistics one DynamoDB item.
MAX_NODES = 200


@dataclass(frozen=True, slots=True)
class Compiled:
    """The graph, as far as the steps could be read; it is only good to run when there are no problems."""

    graph: Graph
    problems: tuple[Problem, ...] = ()


def compile_steps(steps: Sequence[JsonValue], reader: TypeAdapter[Step], tags: Sequence[str]) -> Compiled:
    """Reads each step by the node types of `reader` (whose discriminator values are `tags`) and joins them in order."""
    problems: list[Problem] = []
    read = [_read(step, f"steps[{index}]", reader, tags, problems) for index, step in enumerate(steps)]
    known = [step for step in read if step is not None]
    problems += _repeated_ids(read) + _never_reached(read)
    if not steps:
        problems.append(Problem("steps", "A campaign needs at least one step"))
    if len(steps) > MAX_NODES:
        problems.append(Problem("steps", f"A campaign has at most {MAX_NODES} steps, this one has {len(steps)}"))
    return Compiled(_join(known), tuple(problems))


def _read(
    step: JsonValue, field: str, reader: TypeAdapter[Step], tags: Sequence[str], problems: list[Problem]
) -> Step | None:
    try:
        return reader.validate_python(step, strict=False)
    except ValidationError as error:
        name = step.get("id") if isinstance(step, dict) else None
        about = f"step {name}: " if isinstance(name, str) else ""
        problems += [Problem(p.field, about + p.message) for p in read_problems(error, field, tags)]
        return None


def _repeated_ids(steps: Sequence[Step | None]) -> list[Problem]:
    seen: dict[str, int] = {}
    problems = []
    for index, step in enumerate(steps):
        if step is not None and seen.setdefault(step.id, index) != index:
            problems.append(Problem(f"steps[{index}].id", f"step {step.id}: steps[{seen[step.id]}] has this id too"))
    return problems


def _never_reached(steps: Sequence[Step | None]) -> list[Problem]:
    for index, step in enumerate(steps[:-1]):
        if step is not None and not step.exits:
            return [Problem(f"steps[{index + 1}]", f"Never reached: step {step.id} before it ends the walk")]
    return []


def _join(steps: Sequence[Step]) -> Graph:
    following = [*(NodeId(step.id) for step in steps[1:]), None]
    nodes = {
        NodeId(step.id): Node(NodeId(step.id), step, dict.fromkeys(step.exits, after))
        for step, after in zip(steps, following, strict=bool(steps))
    }
    return Graph(NodeId(steps[0].id) if steps else None, nodes)


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart, as GitHub draws it."""
    lines = ["flowchart TD"]
    for node in graph:
        label = (node.step.name or node.id).translate(_MERMAID_ESCAPES)
        lines.append(f'  {_mermaid_id(node.id)}["{type(node.step).__name__.upper()}: {label}"]')
        lines += [
            f"  {_mermaid_id(node.id)} --> {_mermaid_id(after) if after else 'finish(( ))'}"
            for after in node.exits.values()
        ]
    return "\n".join(lines)


#: Mermaid reads quotes, brackets and backticks in a label as its own; entities pass.
_MERMAID_ESCAPES = {ord(sign): f"#{ord(sign)};" for sign in "\"'<>[](){}|`#;&\n\r"}


def _mermaid_id(node: NodeId) -> str:
    return f"n_{node}"
