"""Compare the lanes of each A/B test by the first message of each lane."""

from collections.abc import Mapping

from chalicelib.core.reporting.significance import LaneComparison, compare
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId

#: Measures of the comparison, each as a share of the sent messages.
MEASURES = ("opened", "clicked")


def compare_variants(graph: Graph, counters: Mapping[str, int]) -> dict[NodeId, tuple[LaneComparison, ...]]:
    """Return the comparisons of each A/B test, one per measure, by the first SEND inside each lane."""
    return {
        node.id: tuple(compare(measure, _counts(graph, node, counters, measure)) for measure in MEASURES)
        for node in graph
        if node.step.compares_lanes
    }


def _counts(graph: Graph, node: Node, counters: Mapping[str, int], measure: str) -> dict[str, tuple[int, int]]:
    firsts = {label: _first_message(graph, start) for label, start in node.exits.items()}
    shared = {first for first in firsts.values() if list(firsts.values()).count(first) > 1}
    return {
        # A message that several lanes reach comes after the split, so it cannot show a difference between them.
        label: (0, 0) if first is None or first in shared else _message_counts(counters, first, measure)
        for label, first in firsts.items()
    }


def _message_counts(counters: Mapping[str, int], node: NodeId, measure: str) -> tuple[int, int]:
    return counters.get(f"node.{node}.sent", 0), counters.get(f"node.{node}.{measure}", 0)


def _first_message(graph: Graph, start: NodeId | None) -> NodeId | None:
    """Return the first SEND after `start`, or None if the path splits before it."""
    current = start
    while current is not None:
        node = graph.nodes[current]
        if node.step.delivers:
            return current
        if len(node.exits) != 1:
            return None
        current = next(iter(node.exits.values()))
    return None
