"""Looks at a campaign's draft as launching it would: graph, problems, warnings, the template versions to be pinned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.engine.compile import compile_steps
from chalicelib.engine.launch_check import Referred, check_launch
from chalicelib.errors import Problem
from chalicelib.model.campaign import Campaign
from chalicelib.model.channel import Channel
from chalicelib.model.graph import Graph
from chalicelib.model.ids import NodeId, WorkspaceUid
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.nodes.end import End
from chalicelib.nodes.registry import STEP, TAGS
from chalicelib.nodes.send import Send
from chalicelib.ports import Ports

#: For calls that need one channel at least.
NO_CHANNEL = Problem("channelUid", "No SEND names a channel: name one here, for those that name none")


@dataclass(frozen=True, slots=True)
class Examination:
    """`pins`: SEND step id → template version; `default_channel` carries the SENDs that name none."""

    graph: Graph
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    pins: Mapping[str, int]
    default_channel: str | None


def examine_campaign(
    ports: Ports, workspace: WorkspaceUid, campaign: Campaign, default_channel: str | None = None
) -> Examination:
    """Without `default_channel` the short form's, else the first that a SEND names; none at all is only a warning."""
    compiled = compile_steps(campaign.steps, STEP, TAGS)
    sends = {node.id: node.step for node in compiled.graph if isinstance(node.step, Send)}
    default = default_channel or _own_channel(campaign, sends)
    referred = _refer(ports, workspace, sends, default)
    found = _placed(check_launch(compiled.graph, referred), compiled.graph, campaign)
    missing = [problem for problem in found if default is None and problem.field.endswith(".channelUid")]
    problems = compiled.problems + tuple(problem for problem in found if problem not in missing)
    warnings = (*missing, *_warnings(ports.clock.now(), compiled.graph, campaign))
    pins = {node: version.version for node, version in referred.versions.items()}
    return Examination(compiled.graph, problems, warnings, pins, default)


def _own_channel(campaign: Campaign, sends: Mapping[NodeId, Send]) -> str | None:
    if campaign.short_form:
        return campaign.short_form.channel_uid
    return next((step.channel_uid for step in sends.values() if step.channel_uid), None)


def _warnings(now: datetime, graph: Graph, campaign: Campaign) -> list[Problem]:
    written = [
        Problem(f"steps[{index}].{problem.field}", problem.message)
        for index, node in enumerate(graph)
        for problem in node.step.warnings(now)
    ]
    warnings = list(_placed(written, graph, campaign))
    if graph.nodes and not any(isinstance(node.step, Send) for node in graph):
        warnings.append(Problem("steps", "No step sends anything"))
    return warnings + _unreachable(graph, campaign)


def _unreachable(graph: Graph, campaign: Campaign) -> list[Problem]:
    """Steps behind an END of the same list."""
    places = _places(campaign)
    ends = [places[node.id] for node in graph if isinstance(node.step, End)]
    return [
        Problem(f"steps[{places[node.id]}]", f"step {node.id}: is never reached, it stands after an END")
        for node in graph
        if ends and places[node.id] > min(ends)
    ]


def _places(campaign: Campaign) -> dict[NodeId, int]:
    """Step id → where it was written; of two with one id the graph has the last."""
    named = ((step.get("id"), index) for index, step in enumerate(campaign.steps) if isinstance(step, dict))
    return {NodeId(name): index for name, index in named if isinstance(name, str)}


def _placed(problems: Iterable[Problem], graph: Graph, campaign: Campaign) -> tuple[Problem, ...]:
    """Problems that count the nodes of the graph, as paths into what was written: unreadable steps are no nodes."""
    places, nodes = _places(campaign), list(graph)

    def placed(problem: Problem) -> Problem:
        position, _, rest = problem.field.removeprefix("steps[").partition("]")
        return replace(problem, field=f"steps[{places[nodes[int(position)].id]}]{rest}")

    return tuple(placed(problem) for problem in problems)


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
