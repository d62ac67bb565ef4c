"""What nested steps compile to: nodes joined by named exits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.model.ids import NodeId
from chalicelib.model.steps import Step


@dataclass(frozen=True, slots=True)
class Node:
    """One step with its ways out; an exit to None ends the walk."""

    id: NodeId
    step: Step
    exits: Mapping[str, NodeId | None]
    #: Where the step was written, like `steps[2]`.
    field: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled campaign. Exits only lead to nodes written later, so there are no loops."""

    start: NodeId | None
    nodes: Mapping[NodeId, Node]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def after(self, node: NodeId, exit_name: str) -> NodeId | None:
        """Where this exit leads. Raises KeyError for a node or exit that is not there."""
        return self.nodes[node].exits[exit_name]
