"""How many walks will come by each node, and what the dearest walk costs, before anybody has walked."""

from collections.abc import Mapping

from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId


def expected_visits(graph: Graph, counters: Mapping[str, int]) -> dict[NodeId, float]:
    """Each node → the share of all walks that comes by. `counters`: of earlier flows, named by `core/flows/progress`.

    A step that draws lots says how; of others the earlier flows tell, or else each way out is taken as often.
    """
    visits = dict.fromkeys(graph.nodes, 0.0)
    if graph.start:
        visits[graph.start] = 1.0
    for node in graph:  # Exits only lead to nodes that are written later.
        for exit_name, share in _split(node, counters).items():
            following = node.exits[exit_name]
            if following:
                visits[following] += visits[node.id] * share
    return visits


def _split(node: Node, counters: Mapping[str, int]) -> Mapping[str, float]:
    if node.step.odds:
        return node.step.odds
    left = {name: counters.get(f"node.{node.id}.left.{name}", 0) for name in node.exits}
    total = sum(left.values())
    return {name: taken / total if total else 1 / len(left) for name, taken in left.items()}


def max_cost_path(graph: Graph, costs: Mapping[NodeId, int]) -> int:
    """What a walk costs at most, when each node costs this much."""
    worst: dict[NodeId, int] = {}
    for node in reversed(list(graph)):
        behind = max((worst[after] for after in node.exits.values() if after), default=0)
        worst[node.id] = costs.get(node.id, 0) + behind
    return worst[graph.start] if graph.start else 0
