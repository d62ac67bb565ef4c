"""Looks at a campaign's draft as launching it would: graph, problems, warnings, the template versions to be pinned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.campaigns.compiled_version import message_specs
from chalicelib.core.campaigns.compiler import compile_steps
from chalicelib.core.campaigns.launch_check import References, check_launch
from chalicelib.errors import Problem
from chalicelib.model.campaign import Campaign
from chalicelib.model.channel import Channel
from chalicelib.model.graph import Graph
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.send_options import MessageSpec
from chalicelib.model.signing import UNSUBSCRIBE_URL
from chalicelib.model.steps import Step
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.nodes.registry import read_step
from chalicelib.ports import Ports

#: For calls that need one channel at least.
NO_CHANNEL = Problem("channelUid", "No SEND names a channel: name one here, for those that name none")


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """`pins`: SEND step id → template version; `default_channel` carries the SENDs that name none."""

    graph: Graph
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    pins: Mapping[str, int]
    default_channel: str | None


def validate_campaign(
    ports: Ports, workspace: WorkspaceUid, campaign: Campaign, default_channel: str | None = None
) -> ValidationReport:
    """Without `default_channel` the short form's, else the first that a SEND names; none at all is only a warning."""
    compiled = compile_steps(campaign.steps, read_step)
    sends = message_specs(compiled.graph)
    default = default_channel or _own_channel(campaign, sends)
    referred = _refer(ports, workspace, sends, default)
    found = check_launch(compiled.graph, referred)
    missing = [problem for problem in found if default is None and problem.field.endswith(".channelUid")]
    now = ports.clock.now()
    of_steps = _located(compiled.graph, lambda step: step.problems(now))
    problems = (*compiled.problems, *of_steps, *(problem for problem in found if problem not in missing))
    warnings = (*missing, *_warnings(now, compiled.graph), *_without_links(ports, referred.versions))
    pins = {node: version.version for node, version in referred.versions.items()}
    return ValidationReport(compiled.graph, problems, warnings, pins, default)


def _own_channel(campaign: Campaign, sends: Mapping[str, MessageSpec]) -> str | None:
    if campaign.short_form:
        return campaign.short_form.channel_uid
    return next((step.channel_uid for step in sends.values() if step.channel_uid), None)


def _warnings(now: datetime, graph: Graph) -> list[Problem]:
    warnings = _located(graph, lambda step: step.warnings(now))
    if graph.nodes and not message_specs(graph):
        warnings.append(Problem("steps", "No step sends anything"))
    return warnings


def _located(graph: Graph, remarks: Callable[[Step], Sequence[Problem]]) -> list[Problem]:
    """What the steps themselves say, with the path to each."""
    return [
        Problem(f"{node.field}.{problem.field}", problem.message) for node in graph for problem in remarks(node.step)
    ]


def _without_links(ports: Ports, versions: Mapping[str, TemplateVersion]) -> tuple[Problem, ...]:
    """Newsletters without a way out are marked as spam, and in many countries they are forbidden."""
    meant = any(
        version.message_type is MessageType.NEWSLETTER or UNSUBSCRIBE_URL in version.variables
        for version in versions.values()
    )
    said = "PUBLIC_URL is not set: newsletters go out without a link to unsubscribe"
    return (Problem("steps", said),) if meant and not ports.public_url else ()


def _refer(ports: Ports, workspace: WorkspaceUid, sends: Mapping[str, MessageSpec], default: str | None) -> References:
    catalog = ports.catalog
    channel_uids = {step.channel_uid or default for step in sends.values()}
    channels = {uid: catalog.find(workspace, Channel, uid) for uid in channel_uids if uid}
    templates = {uid: catalog.find(workspace, Template, uid) for uid in {s.template_uid for s in sends.values()}}
    versions = {
        node: _version(ports, workspace, step, templates.get(step.template_uid)) for node, step in sends.items()
    }
    return References(
        default_channel=default,
        channels={uid: channel for uid, channel in channels.items() if channel},
        templates={uid: template for uid, template in templates.items() if template},
        versions={node: version for node, version in versions.items() if version},
    )


def _version(
    ports: Ports, workspace: WorkspaceUid, step: MessageSpec, template: Template | None
) -> TemplateVersion | None:
    if template is None:
        return None
    number = step.template_version if isinstance(step.template_version, int) else template.latest_version
    return ports.versions.find_version(workspace, Template, template.uid, number, TemplateVersion)
