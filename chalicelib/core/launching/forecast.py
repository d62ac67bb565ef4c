"""Predict the share of contacts that visit each node, and the cost of the most expensive path."""

from collections.abc import Mapping

from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId


def expected_visits(graph: Graph, counters: Mapping[str, int]) -> dict[NodeId, float]:
    """Return the share of contacts, 0 to 1, that visits each node.

    A/B tests split by their weights. Other steps split as in earlier flows, or evenly without one. `counters` are those
    of earlier flows, named by `core/flows/progress`.
    """
    visits = dict.fromkeys(graph.nodes, 0.0)
    if graph.start:
        visits[graph.start] = 1.0
    for node in graph:  # Exits lead only to later nodes, so one pass is enough.
        for exit_name, share in _split(node, counters).items():
            following = node.exits[exit_name]
            if following:
                visits[following] += visits[node.id] * share
    return visits


def _split(node: Node, counters: Mapping[str, int]) -> Mapping[str, float]:
    if node.step.odds:
        return node.step.odds
    counts = {name: counters.get(f"node.{node.id}.left.{name}", 0) for name in node.exits}
    total = sum(counts.values())
    return {name: count / total if total else 1 / len(counts) for name, count in counts.items()}


def max_cost_path(graph: Graph, costs: Mapping[NodeId, int]) -> int:
    """Return the cost of the most expensive path, given the cost of each node."""
    worst: dict[NodeId, int] = {}
    for node in reversed(list(graph)):
        rest = max((worst[after] for after in node.exits.values() if after), default=0)
        worst[node.id] = costs.get(node.id, 0) + rest
    return worst[graph.start] if graph.start else 0
