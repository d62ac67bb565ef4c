"""Everything a batch of steps needs to know of its flow besides the rows: graph, templates, channels."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.engine.compile import compile_steps
from chalicelib.engine.eligibility import why_not_channel, why_not_contact
from chalicelib.engine.interpreter import Scene, Skip
from chalicelib.engine.render import MissingParameter, render, resolve_parameters
from chalicelib.engine.settle import Attempt
from chalicelib.errors import GiveUp
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.channel import Channel, LostAnswer
from chalicelib.model.contact import Contact
from chalicelib.model.flow import Flow
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import Letter
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.model.workspace import Workspace
from chalicelib.nodes.registry import STEP
from chalicelib.nodes.send import Send
from chalicelib.ports import ChannelType, Ports

MISSING = "missing_template_parameter"
#: Compiled versions never change; a worker sees few campaigns in its life.
_GRAPHS: dict[tuple[str, str, int], Graph] = {}
_GRAPHS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """One flow as its steps see it during one batch."""

    workspace: Workspace
    flow: Flow
    graph: Graph
    templates: Mapping[NodeId, TemplateVersion]
    channels: Mapping[str, Channel]
    channel_types: Mapping[str, ChannelType]

    def scene(self, contact: Contact, ports: Ports) -> Scene:
        """What a walk of this contact looks at now."""
        return Scene(self.graph, self.flow.campaign_uid, contact, self.consider, ports.clock.now())

    def channel_at(self, node: Node) -> Channel | None:
        """The channel that carries the message of a SEND."""
        named = node.step.channel_uid if isinstance(node.step, Send) else None
        return self.channels.get(named or self.flow.channel_uid)

    def attempt_at(self, node: NodeId, ports: Ports, cost: int = 0) -> Attempt:
        """What `engine/settle` needs to know of a try at this node."""
        channel = self.channel_at(self.graph.nodes[node])
        kind = self.channel_types.get(channel.type) if channel else None
        resend = channel is not None and channel.lost_answer is LostAnswer.RESEND
        resend = resend or (kind is not None and kind.deduplicates)
        return Attempt(node, channel.uid if channel else "", self.flow.configuration, resend, ports.clock.now(), cost)

    def consider(self, node: Node, contact: Contact) -> Letter | Skip:
        """The letter for this contact at a SEND, or why there is none."""
        channel = self.channel_at(node)
        reason = why_not_channel(channel)
        if reason or channel is None:
            return Skip(reason or "channel_not_found")
        template, kind = self.templates[node.id], self.channel_types.get(channel.type)
        if kind is None:
            return Skip("channel_type_unknown", channel.uid)
        address = kind.address_of(contact)
        reason = why_not_contact(contact, channel.type, template.message_type, self.workspace.strict_consent)
        if reason or address is None:
            return Skip(reason or "no_address", channel.uid)
        return self._write(node, contact, channel, address)

    def _write(self, node: Node, contact: Contact, channel: Channel, address: str) -> Letter | Skip:
        step, template = node.step, self.templates[node.id]
        if not isinstance(step, Send):
            raise GiveUp("not_a_send", f"Node {node.id} delivers but is no SEND")
        values = resolve_parameters(template, step, contact)
        if isinstance(values, MissingParameter):
            return Skip(MISSING, channel.uid)
        uid = MessageUid(
            WorkspaceUid(self.workspace.uid), FlowUid(self.flow.uid), ContactUid(contact.uid), NodeId(node.id)
        )
        try:
            return Letter(uid, channel, template.message_type, address, render(template, values))
        except GiveUp as error:
            if error.code != MISSING:
                raise
            # A value that is missing deep inside an event's property shows only while rendering.
            return Skip(MISSING, channel.uid)


def load_plan(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> Plan:
    """Channels and workspace are read now; versions never change. GiveUp when what was published is gone."""
    version = ports.catalog.find_version(
        workspace, Campaign, flow.campaign_uid, flow.campaign_version or 0, CampaignVersion
    )
    if version is None:
        raise GiveUp("version_missing", f"Campaign {flow.campaign_uid} has no version {flow.campaign_version}")
    graph = graph_of(workspace, version)
    sends = [node for node in graph if isinstance(node.step, Send)]
    named = {node.step.channel_uid or flow.channel_uid for node in sends if isinstance(node.step, Send)}
    channels = {uid: ports.catalog.find(workspace, Channel, uid) for uid in named}
    return Plan(
        workspace=ports.catalog.get(workspace, Workspace, workspace),
        flow=flow,
        graph=graph,
        templates={node.id: _template(ports, workspace, node, version) for node in sends},
        channels={uid: channel for uid, channel in channels.items() if channel},
        channel_types=ports.channel_types,
    )


def graph_of(workspace: WorkspaceUid, version: CampaignVersion) -> Graph:
    """The compiled version, from memory where it was compiled before; GiveUp when this code cannot read it."""
    key = (workspace, version.campaign_uid, version.version)
    if key not in _GRAPHS:
        compiled = compile_steps(version.steps, STEP)
        if compiled.problems:
            raise GiveUp("version_unreadable", f"Campaign {version.campaign_uid} v{version.version} does not compile")
        if len(_GRAPHS) >= _GRAPHS_KEPT:
            _GRAPHS.clear()
        _GRAPHS[key] = compiled.graph
    return _GRAPHS[key]


def _template(ports: Ports, workspace: WorkspaceUid, node: Node, version: CampaignVersion) -> TemplateVersion:
    uid = node.step.template_uid if isinstance(node.step, Send) else ""
    number = version.templates.get(node.id, 0)
    found = ports.catalog.find_version(workspace, Template, uid, number, TemplateVersion)
    if found is None:
        raise GiveUp("template_missing", f"Template {uid} has no version {number}")
    return found
