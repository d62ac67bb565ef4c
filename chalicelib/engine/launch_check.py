"""May this campaign be launched? Every reason against it at once, for validate and launch alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.errors import Problem
from chalicelib.model.channel import Approval, Channel
from chalicelib.model.graph import Graph, Node
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion
from chalicelib.nodes.send import Send


@dataclass(frozen=True, slots=True)
class Referred:
    """What the steps name, as far as it is there. Versions are those that the SENDs would use, by node."""

    default_channel: str | None
    channels: Mapping[str, Channel]
    templates: Mapping[str, Template]
    versions: Mapping[str, TemplateVersion]


def check_launch(graph: Graph, referred: Referred) -> tuple[Problem, ...]:
    """Rule 6 of product.md for every SEND."""
    problems: list[Problem] = []
    for index, node in enumerate(graph):
        if isinstance(node.step, Send):
            at = f"steps[{index}]"
            channel, found = _check_channel(at, node, node.step, referred)
            problems += found
            problems += _check_template(at, node, node.step, channel, referred)
    return tuple(problems)


def _check_channel(at: str, node: Node, step: Send, referred: Referred) -> tuple[Channel | None, list[Problem]]:
    uid, field = step.channel_uid or referred.default_channel, f"{at}.channelUid"
    if uid is None:
        return None, [Problem(field, f"step {node.id}: names no channel, and the flow has none for it")]
    channel = referred.channels.get(uid)
    if channel is None:
        return None, [Problem(field, f"step {node.id}: channel {uid} was not found")]
    if channel.approval is not Approval.APPROVED or not channel.active:
        state = channel.approval if channel.approval is not Approval.APPROVED else "inactive"
        return channel, [Problem(field, f"step {node.id}: channel {uid} is {state}")]
    return channel, []


def _check_template(at: str, node: Node, step: Send, channel: Channel | None, referred: Referred) -> list[Problem]:
    template, field = referred.templates.get(step.template_uid), f"{at}.templateUid"
    if template is None:
        return [Problem(field, f"step {node.id}: template {step.template_uid} was not found")]
    if template.status is not TemplateStatus.PUBLISHED:
        return [Problem(field, f"step {node.id}: template {template.uid} is {template.status}, not PUBLISHED")]
    version = referred.versions.get(node.id)
    if version is None:
        wanted = f"step {node.id}: template {template.uid} has no version {step.template_version}"
        return [Problem(f"{at}.templateVersion", wanted)]
    if channel is not None and version.channel_type != channel.type:
        mismatch = f"step {node.id}: the template is for {version.channel_type}, the channel is {channel.type}"
        return [Problem(field, mismatch)]
    return []
