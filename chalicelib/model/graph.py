"""Compiled campaigns: nodes connected by named exits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.model.ids import NodeId
from chalicelib.model.steps import Step


@dataclass(frozen=True, slots=True)
class Node:
    """A step with its exits. An exit to None ends the execution."""

    id: NodeId
    step: Step
    exits: Mapping[str, NodeId | None]
    #: Position of the step in the campaign, such as `steps[2]`.
    field: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled campaign. Exits lead only to later nodes, so there are no loops."""

    start: NodeId | None
    nodes: Mapping[NodeId, Node]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def after(self, node: NodeId, exit_name: str) -> NodeId | None:
        """Return the node after an exit; None if the exit ends the execution. KeyError for an unknown node or exit."""
        return self.nodes[node].exits[exit_name]
