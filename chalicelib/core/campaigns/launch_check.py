"""Check whether the SEND steps of a campaign can be launched, and report all problems. `validate` uses it too."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.errors import Problem
from chalicelib.model.channel import Approval, Channel
from chalicelib.model.graph import Graph, Node
from chalicelib.model.send_options import SendOption, SendsMessage
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion


@dataclass(frozen=True, slots=True)
class References:
    """The channels and templates that the steps name and that exist. `versions` maps node ids to template versions."""

    default_channel: str | None
    channels: Mapping[str, Channel]
    templates: Mapping[str, Template]
    versions: Mapping[str, TemplateVersion]


def check_launch(graph: Graph, references: References) -> tuple[Problem, ...]:
    """Check the channel and the template of each SEND step and of its fallbacks."""
    problems: list[Problem] = []
    for node in graph:
        for option in node.step.options if isinstance(node.step, SendsMessage) else ():
            channel, found = _check_channel(node, option, references)
            problems += found + _check_template(node, option, channel, references)
    return tuple(problems)


def _problem(node: Node, option: SendOption, field: str, message: str) -> list[Problem]:
    return [Problem(f"{node.field}.{option.prefix}{field}", f"step {node.step.id}: {message}")]


def _check_channel(node: Node, option: SendOption, references: References) -> tuple[Channel | None, list[Problem]]:
    uid = option.sending.channel_uid or references.default_channel
    if uid is None:
        return None, _problem(node, option, "channelUid", "names no channel, and the flow has no default channel")
    channel = references.channels.get(uid)
    if channel is None:
        return None, _problem(node, option, "channelUid", f"channel {uid} was not found")
    if channel.approval is not Approval.APPROVED or not channel.active:
        state = channel.approval if channel.approval is not Approval.APPROVED else "inactive"
        return channel, _problem(node, option, "channelUid", f"channel {uid} is {state}")
    return channel, []


def _check_template(node: Node, option: SendOption, channel: Channel | None, references: References) -> list[Problem]:
    uid = option.sending.template_uid
    template = references.templates.get(uid)
    if template is None:
        return _problem(node, option, "templateUid", f"template {uid} was not found")
    if template.status is not TemplateStatus.PUBLISHED:
        return _problem(node, option, "templateUid", f"template {uid} is {template.status}, not PUBLISHED")
    version = references.versions.get(f"{node.id}{option.suffix}")
    if version is None:
        missing = f"template {uid} has no version {option.sending.template_version}"
        return _problem(node, option, "templateVersion", missing)
    if channel is not None and version.channel_type != channel.type:
        mismatch = f"the template is for {version.channel_type}, the channel is {channel.type}"
        return _problem(node, option, "templateUid", mismatch)
    return []
