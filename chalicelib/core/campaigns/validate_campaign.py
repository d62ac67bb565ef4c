"""Validate the draft of a campaign: compile it, find problems and warnings, and select the template versions."""

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

#: The problem of a call that needs a default channel and has none.
NO_CHANNEL = Problem("channelUid", "No SEND step names a channel; set a default channel here")


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """The result of a validation.

    `pins` maps SEND step ids to template versions. `default_channel` is for SEND steps that name no channel.
    """

    graph: Graph
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    pins: Mapping[str, int]
    default_channel: str | None


def validate_campaign(
    ports: Ports, workspace: WorkspaceUid, campaign: Campaign, default_channel: str | None = None
) -> ValidationReport:
    """Validate the draft. A missing default channel is a warning.

    The default of `default_channel` is the channel of the short form, or else the first one that a SEND step names.
    """
    compiled = compile_steps(campaign.steps, read_step)
    sends = message_specs(compiled.graph)
    default = default_channel or _own_channel(campaign, sends)
    references = _load_references(ports, workspace, sends, default)
    found = check_launch(compiled.graph, references)
    missing = [problem for problem in found if default is None and problem.field.endswith(".channelUid")]
    now = ports.clock.now()
    step_problems = _step_problems(compiled.graph, lambda step: step.problems(now))
    problems = (*compiled.problems, *step_problems, *(problem for problem in found if problem not in missing))
    warnings = (*missing, *_warnings(now, compiled.graph), *_missing_link_warnings(ports, references.versions))
    pins = {node: version.version for node, version in references.versions.items()}
    return ValidationReport(compiled.graph, problems, warnings, pins, default)


def _own_channel(campaign: Campaign, sends: Mapping[str, MessageSpec]) -> str | None:
    if campaign.short_form:
        return campaign.short_form.channel_uid
    return next((step.channel_uid for step in sends.values() if step.channel_uid), None)


def _warnings(now: datetime, graph: Graph) -> list[Problem]:
    warnings = _step_problems(graph, lambda step: step.warnings(now))
    if graph.nodes and not message_specs(graph):
        warnings.append(Problem("steps", "No step sends a message"))
    return warnings


def _step_problems(graph: Graph, check: Callable[[Step], Sequence[Problem]]) -> list[Problem]:
    """Return the problems that the steps report themselves, with the path of each step."""
    return [Problem(f"{node.field}.{problem.field}", problem.message) for node in graph for problem in check(node.step)]


def _missing_link_warnings(ports: Ports, versions: Mapping[str, TemplateVersion]) -> tuple[Problem, ...]:
    """Warn if unsubscribe links are missing. Newsletters without one are marked as spam, or are even illegal."""
    needs_link = any(
        version.message_type is MessageType.NEWSLETTER or UNSUBSCRIBE_URL in version.variables
        for version in versions.values()
    )
    warning = "PUBLIC_URL is not set, so newsletters have no unsubscribe link"
    return (Problem("steps", warning),) if needs_link and not ports.public_url else ()


def _load_references(
    ports: Ports, workspace: WorkspaceUid, sends: Mapping[str, MessageSpec], default: str | None
) -> References:
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
