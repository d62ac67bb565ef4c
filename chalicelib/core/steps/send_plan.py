"""Load what a batch of steps needs besides the executions: graph, templates, channels."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.core.campaigns.compiled_version import graph_of, message_specs, named_channels
from chalicelib.core.privacy.eligibility import why_not_channel
from chalicelib.errors import GiveUp
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.channel import Channel
from chalicelib.model.circuit import Circuit
from chalicelib.model.flow import Flow
from chalicelib.model.graph import Graph
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.send_options import MessageSpec
from chalicelib.model.signing import Links
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.model.workspace import Workspace
from chalicelib.ports import ChannelStatus, ChannelType, Ports, RateState


@dataclass(frozen=True, slots=True)
class SendPlan:
    """One flow and one version of its campaign, as the steps of one batch see them."""

    workspace: Workspace
    flow: Flow
    graph: Graph
    #: Template versions by the keys of `message_specs`.
    templates: Mapping[str, TemplateVersion]
    #: Channels, circuits and rate states by channel uid.
    channels: Mapping[str, Channel]
    circuits: Mapping[str, Circuit]
    rates: Mapping[str, RateState]
    channel_types: Mapping[str, ChannelType]
    links: Links

    def channel_of(self, spec: MessageSpec) -> Channel | None:
        """Return the channel that carries the message, or None if it does not exist."""
        return self.channels.get(spec.channel_uid or self.flow.channel_uid)


def load_plan(ports: Ports, workspace: WorkspaceUid, flow: Flow, number: int) -> SendPlan:
    """Load the plan for executions of campaign version `number`. Raises GiveUp when a published part is missing."""
    version = ports.versions.find_version(workspace, Campaign, flow.campaign_uid, number, CampaignVersion)
    if version is None:
        raise GiveUp("version_missing", f"Campaign {flow.campaign_uid} has no version {number}")
    return build_plan(ports, workspace, flow, graph_of(ports, workspace, version), version.templates)


def build_plan(ports: Ports, workspace: WorkspaceUid, flow: Flow, graph: Graph, pins: Mapping[str, int]) -> SendPlan:
    """Build the plan for a graph. `pins`: template versions by the keys of `message_specs`. Raises GiveUp."""
    specs = message_specs(graph)
    statuses = [_find_channel(ports, workspace, uid) for uid in sorted(named_channels(graph, flow))]
    found = {status.channel.uid: status for status in statuses if status}
    # The settings may be slightly outdated; the consent of contacts is not among them.
    settings = ports.catalog.find(workspace, Workspace, workspace, strong=False)
    return SendPlan(
        workspace=settings or ports.catalog.get(workspace, Workspace, workspace),
        flow=flow,
        graph=graph,
        templates={
            key: _template(ports, workspace, spec.template_uid, pins.get(key, 0)) for key, spec in specs.items()
        },
        channels={uid: status.channel for uid, status in found.items()},
        circuits={uid: status.circuit for uid, status in found.items()},
        rates={uid: status.rate_state for uid, status in found.items()},
        channel_types=ports.channel_types,
        links=Links(ports.secret(), ports.public_url),
    )


def _find_channel(ports: Ports, workspace: WorkspaceUid, uid: str) -> ChannelStatus | None:
    """Read the channel with eventual consistency, which costs half, and again strongly if it cannot send.

    So an outdated read neither skips a contact nor pauses a flow. A circuit that opened a moment ago is met by the next
    batch.
    """
    status = ports.circuits.find_channel(workspace, uid, strong=False)
    if status and why_not_channel(status.channel) is None and status.circuit.since is None:
        return status
    return ports.circuits.find_channel(workspace, uid)


def _template(ports: Ports, workspace: WorkspaceUid, uid: str, number: int) -> TemplateVersion:
    found = ports.versions.find_version(workspace, Template, uid, number, TemplateVersion)
    if found is None:
        raise GiveUp("template_missing", f"Template {uid} has no version {number}")
    return found
