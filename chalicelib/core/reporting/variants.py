"""Which messages of an A/B test are to be compared, and how they did."""

from collections.abc import Mapping

from chalicelib.core.reporting.significance import LaneComparison, compare
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId

#: What is compared: how many of those who were sent the lane's first message opened it, and how many clicked.
MEASURES = ("opened", "clicked")


def compare_variants(graph: Graph, counters: Mapping[str, int]) -> dict[NodeId, tuple[LaneComparison, ...]]:
    """For every A/B test of the graph one comparison a measure, by the first SEND inside each lane."""
    return {
        node.id: tuple(compare(measure, _counts(graph, node, counters, measure)) for measure in MEASURES)
        for node in graph
        if node.step.compares_lanes
    }


def _counts(graph: Graph, node: Node, counters: Mapping[str, int], measure: str) -> dict[str, tuple[int, int]]:
    firsts = {label: _first_message(graph, start) for label, start in node.exits.items()}
    shared = {first for first in firsts.values() if list(firsts.values()).count(first) > 1}
    return {
        # A message that several lanes come to stands behind the split, and tells nothing of it.
        label: (0, 0) if first is None or first in shared else _reached(counters, first, measure)
        for label, first in firsts.items()
    }


def _reached(counters: Mapping[str, int], node: NodeId, measure: str) -> tuple[int, int]:
    return counters.get(f"node.{node}.sent", 0), counters.get(f"node.{node}.{measure}", 0)


def _first_message(graph: Graph, start: NodeId | None) -> NodeId | None:
    """The first SEND on the way from here, as long as the way does not part again."""
    here = start
    while here is not None:
        node = graph.nodes[here]
        if node.step.delivers:
            return here
        if len(node.exits) != 1:
            return None
        here = next(iter(node.exits.values()))
    return None
