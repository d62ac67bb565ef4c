"""Looks at a campaign's draft as launching it would: graph, problems, warnings, and the template versions it would pin."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.engine.compile import compile_steps
from chalicelib.engine.launch_check import Referred, check_launch
from chalicelib.errors import Problem
from chalicelib.model.campaign import Campaign
from chalicelib.model.channel import Channel
from chalicelib.model.graph import Graph
from chalicelib.model.ids import NodeId, WorkspaceUid
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.nodes.registry import STEP, TAGS
from chalicelib.nodes.send import Send
from chalicelib.ports import Ports


@dataclass(frozen=True, slots=True)
class Examination:
    """`pins`: SEND step id → template version."""

    graph: Graph
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    pins: Mapping[str, int]


def examine_campaign(
    ports: Ports, workspace: WorkspaceUid, campaign: Campaign, default_channel: str | None = None
) -> Examination:
    """`default_channel` carries SENDs that name none; without it that of the short form."""
    compiled = compile_steps(campaign.steps, STEP, TAGS)
    sends = {node.id: node.step for node in compiled.graph if isinstance(node.step, Send)}
    short = campaign.short_form.channel_uid if campaign.short_form else None
    referred = _refer(ports, workspace, sends, default_channel or short)
    problems = compiled.problems + check_launch(compiled.graph, referred)
    warnings = [
        Problem(f"steps[{index}].{problem.field}", problem.message)
        for index, node in enumerate(compiled.graph)
        for problem in node.step.warnings(ports.clock.now())
    ]
    if compiled.graph.nodes and not sends:
        warnings.append(Problem("steps", "No step sends anything"))
    pins = {node: version.version for node, version in referred.versions.items()}
    return Examination(compiled.graph, problems, tuple(warnings), pins)


def _refer(ports: Ports, workspace: WorkspaceUid, sends: Mapping[NodeId, Send], default: str | None) -> Referred:
    catalog = ports.catalog
    channel_uids = {step.channel_uid or default for step in sends.values()}
    channels = {uid: catalog.find(workspace, Channel, uid) for uid in channel_uids if uid}
    templates = {uid: catalog.find(workspace, Template, uid) for uid in {s.template_uid for s in sends.values()}}
    versions = {
        node: _version(ports, workspace, step, templates.get(step.template_uid)) for node, step in sends.items()
    }
    return Referred(
        default_channel=default,
        channels={uid: channel for uid, channel in channels.items() if channel},
        templates={uid: template for uid, template in templates.items() if template},
        versions={node: version for node, version in versions.items() if version},
    )


def _version(ports: Ports, workspace: WorkspaceUid, step: Send, template: Template | None) -> TemplateVersion | None:
    if template is None:
        return None
    number = template.latest_version if step.template_version == "latest" else step.template_version
    return ports.catalog.find_version(workspace, Template, template.uid, number, TemplateVersion)
