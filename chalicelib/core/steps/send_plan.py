"""Everything a batch of steps needs to know of its flow besides the rows: graph, templates, channels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.core.campaigns.compiled_version import graph_of, message_specs, named_channels
from chalicelib.core.privacy.eligibility import why_not_address, why_not_channel, why_not_contact
from chalicelib.core.steps.apply_send_result import SendAttempt
from chalicelib.core.steps.interpreter import SkipMessage, WalkContext
from chalicelib.core.templates.link_tracking import track
from chalicelib.core.templates.render import MissingParameter, render, resolve_parameters
from chalicelib.errors import GiveUp
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.channel import Channel, LostResponsePolicy
from chalicelib.model.circuit import Circuit
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId, WorkspaceUid
from chalicelib.model.message import MessageType, OutgoingMessage
from chalicelib.model.send_options import MessageSpec, SendsMessage
from chalicelib.model.signing import UNSUBSCRIBE_URL, Links
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.model.workspace import Workspace
from chalicelib.ports import ChannelStatus, ChannelType, Ports, RateState


@dataclass(frozen=True, slots=True)
class SendPlan:
    """One flow as its steps see it during one batch."""

    workspace: Workspace
    flow: Flow
    graph: Graph
    #: By what `sendings` calls them.
    templates: Mapping[str, TemplateVersion]
    channels: Mapping[str, Channel]
    circuits: Mapping[str, Circuit]
    lines: Mapping[str, RateState]
    channel_types: Mapping[str, ChannelType]
    links: Links

    def scene(self, contact: Contact, ports: Ports) -> WalkContext:
        """What a walk of this contact looks at now."""
        zone = self.workspace.timezone
        return WalkContext(self.graph, self.flow.campaign_uid, contact, self.consider, ports.clock.now(), zone)

    def channel_of(self, sending: MessageSpec) -> Channel | None:
        """The channel that carries the message."""
        return self.channels.get(sending.channel_uid or self.flow.channel_uid)

    def attempt_at(
        self, row: Execution, node: NodeId, ports: Ports, letter: OutgoingMessage | None = None
    ) -> SendAttempt:
        """What `apply_send_result` needs to know of a try at this node; without the letter, by what the row says."""
        offer = letter.uid.offer if letter else row.offer
        channel = letter.channel if letter else self._channel_at(node, offer)
        kind = self.channel_types.get(channel.type) if channel else None
        resend = channel is not None and channel.lost_answer is LostResponsePolicy.RESEND
        resend = resend or (kind is not None and kind.deduplicates)
        uid, cost = channel.uid if channel else "", letter.cost if letter else 0
        return SendAttempt(node, uid, self.flow.configuration, resend, ports.clock.now(), cost, offer)

    def _channel_at(self, node: NodeId, offer: int) -> Channel | None:
        step = self.graph.nodes[node].step
        return self.channel_of(step.offers[offer].sending) if isinstance(step, SendsMessage) else None

    def consider(self, node: Node, row: Execution, contact: Contact) -> OutgoingMessage | SkipMessage:
        """The letter of this walk at a SEND, by its own channel or what it offers instead, or why there is none."""
        if not isinstance(node.step, SendsMessage):
            raise GiveUp("not_a_send", f"Node {node.id} delivers but names nothing to send")
        answers = (self._consider(node, index, row, contact) for index in self._open_offers(node.step, row))
        first = next(answers)
        return next((each for each in (first, *answers) if isinstance(each, OutgoingMessage)), first)

    def next_offer(self, letter: OutgoingMessage, row: Execution, contact: Contact) -> int | None:
        """What to go on with now that this letter is refused for good, None for nothing."""
        node = self.graph.nodes[letter.uid.node]
        if not isinstance(node.step, SendsMessage):
            return None
        later = (index for index in self._open_offers(node.step, row) if index > letter.uid.offer)
        return next(
            (index for index in later if isinstance(self._consider(node, index, row, contact), OutgoingMessage)), None
        )

    def _open_offers(self, step: SendsMessage, row: Execution) -> range:
        """The step's offers that may still be made; never ours where the provider has a way of its own."""
        own = self.channel_of(step.offers[0].sending)
        kind = self.channel_types.get(own.type) if own else None
        stays = row.unsure or (own is not None and kind is not None and kind.falls_back(own))
        return range(row.offer, row.offer + 1 if stays else len(step.offers))

    def _consider(self, node: Node, index: int, row: Execution, contact: Contact) -> OutgoingMessage | SkipMessage:
        if not isinstance(node.step, SendsMessage):
            raise GiveUp("not_a_send", f"Node {node.id} delivers but names nothing to send")
        offer = node.step.offers[index]
        channel = self.channel_of(offer.sending)
        reason = why_not_channel(channel)
        if reason or channel is None:
            return SkipMessage(reason or SkipReason.CHANNEL_NOT_FOUND)
        template = self.templates[f"{node.id}{offer.suffix}"]
        kind = self.channel_types.get(channel.type)
        if kind is None:
            return SkipMessage(SkipReason.CHANNEL_TYPE_UNKNOWN, channel.uid)
        address = kind.address_of(contact)
        strict = self.workspace.strict_consent
        reason = why_not_contact(contact, channel.type, template.message_type, strict, address)
        reason = reason or why_not_address(contact, channel.type, address, row.updated)
        if reason or address is None:
            return SkipMessage(reason or SkipReason.NO_ADDRESS, channel.uid)
        link = self._unsubscribe_link(contact, channel, template)
        values = resolve_parameters(template, offer.sending, contact, row.properties, {UNSUBSCRIBE_URL: link or ""})
        if isinstance(values, MissingParameter):
            return SkipMessage(SkipReason.MISSING_TEMPLATE_PARAMETER, channel.uid)
        try:
            content = render(template, values)
        except GiveUp as error:
            if error.code != SkipReason.MISSING_TEMPLATE_PARAMETER:
                raise
            # A value that is missing deep inside an event's property shows only while rendering.
            return SkipMessage(SkipReason.MISSING_TEMPLATE_PARAMETER, channel.uid)
        one_click = link if template.message_type is MessageType.NEWSLETTER else None
        uid = replace(row.message_uid(node.id), offer=index)
        content = track(content, self.links, uid, channel)
        cost = channel.price_of(template.message_type, address) * kind.parts_of(content)
        return OutgoingMessage(uid, channel, template.message_type, address, content, cost, one_click)

    def _unsubscribe_link(self, contact: Contact, channel: Channel, template: TemplateVersion) -> str | None:
        """Made only where it is used: newsletters, and templates that name it."""
        if template.message_type is not MessageType.NEWSLETTER and UNSUBSCRIBE_URL not in template.variables:
            return None
        return self.links.unsubscribe(self.workspace.uid, contact.uid, channel.type, template.message_type)


def load_plan(ports: Ports, workspace: WorkspaceUid, flow: Flow, number: int) -> SendPlan:
    """For rows of one campaign version, with its channels as they are now. GiveUp when what was published is gone."""
    version = ports.catalog.find_version(workspace, Campaign, flow.campaign_uid, number, CampaignVersion)
    if version is None:
        raise GiveUp("version_missing", f"Campaign {flow.campaign_uid} has no version {number}")
    return build_plan(ports, workspace, flow, graph_of(workspace, version), version.templates)


def build_plan(ports: Ports, workspace: WorkspaceUid, flow: Flow, graph: Graph, pins: Mapping[str, int]) -> SendPlan:
    """`pins`: the version of every template, by what `sendings` calls them; GiveUp when one is gone."""
    sends = message_specs(graph)
    standings = [_stand(ports, workspace, uid) for uid in sorted(named_channels(graph, flow))]
    found = {standing.channel.uid: standing for standing in standings if standing}
    # Its settings may lag for a moment: nobody's consent is among them.
    settings = ports.catalog.find(workspace, Workspace, workspace, strong=False)
    return SendPlan(
        workspace=settings or ports.catalog.get(workspace, Workspace, workspace),
        flow=flow,
        graph=graph,
        templates={
            key: _template(ports, workspace, sending.template_uid, pins.get(key, 0)) for key, sending in sends.items()
        },
        channels={uid: standing.channel for uid, standing in found.items()},
        circuits={uid: standing.circuit for uid, standing in found.items()},
        lines={uid: standing.line for uid, standing in found.items()},
        channel_types=ports.channel_types,
        links=Links(ports.secret(), ports.public_url),
    )


def _stand(ports: Ports, workspace: WorkspaceUid, uid: str) -> ChannelStatus | None:
    """The channel by a read that may lag, at half the price; nobody is skipped and no flow paused by what that says.

    A circuit that opened a moment ago is met by the next batch, as it is by one that is under way.
    """
    standing = ports.circuits.find_channel(workspace, uid, strong=False)
    if standing and why_not_channel(standing.channel) is None and standing.circuit.since is None:
        return standing
    return ports.circuits.find_channel(workspace, uid)


def _template(ports: Ports, workspace: WorkspaceUid, uid: str, number: int) -> TemplateVersion:
    found = ports.catalog.find_version(workspace, Template, uid, number, TemplateVersion)
    if found is None:
        raise GiveUp("template_missing", f"Template {uid} has no version {number}")
    return found
