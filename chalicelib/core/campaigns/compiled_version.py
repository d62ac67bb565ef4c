"""Load compiled campaign versions, and the channels and templates that they send with."""

from chalicelib.core.campaigns.compiler import compile_steps
from chalicelib.errors import GiveUp
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow
from chalicelib.model.graph import Graph
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.send_options import MessageSpec, SendsMessage
from chalicelib.nodes.registry import read_step
from chalicelib.ports import Ports


def message_specs(graph: Graph) -> dict[str, MessageSpec]:
    """Return the messages that the steps may send, keyed by node id plus the suffix of the send option."""
    return {
        f"{node.id}{option.suffix}": option.sending
        for node in graph.nodes.values()
        if isinstance(node.step, SendsMessage)
        for option in node.step.options
    }


#: Compiled versions kept in the memory of a worker. A worker sees few campaigns in its life.
GRAPHS_KEPT = 200


def named_channels(graph: Graph, flow: Flow) -> set[str]:
    """Return the uids of the channels that the graph's SEND steps use, the flow's default channel included."""
    return {sending.channel_uid or flow.channel_uid for sending in message_specs(graph).values()}


def channels_of(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> set[str]:
    """Return the uids of the channels that the flow sends with; empty when its version is gone or unreadable."""
    number = flow.campaign_version or 0
    version = ports.versions.find_version(workspace, Campaign, flow.campaign_uid, number, CampaignVersion)
    try:
        return named_channels(graph_of(ports, workspace, version), flow) if version else set()
    except GiveUp:
        return set()


def graph_of(ports: Ports, workspace: WorkspaceUid, version: CampaignVersion) -> Graph:
    """Return the compiled graph of a version, cached per worker. Raises GiveUp when this code cannot read it."""
    graphs = ports.memory.graphs
    key = (workspace, version.campaign_uid, version.version)
    if key not in graphs:
        compiled = compile_steps(version.steps, read_step)
        if compiled.problems:
            raise GiveUp("version_unreadable", f"Campaign {version.campaign_uid} v{version.version} does not compile")
        if len(graphs) >= GRAPHS_KEPT:
            graphs.clear()
        graphs[key] = compiled.graph
    return graphs[key]
