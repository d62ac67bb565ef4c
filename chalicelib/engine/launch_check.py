"""May this campaign be launched? Every reason against it at once, for validate and launch alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from chalicelib.errors import Problem
from chalicelib.model.channel import Approval, Channel
from chalicelib.model.graph import Graph, Node
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion


@runtime_checkable
class Sending(Protocol):
    """A step that sends: what it names."""

    @property
    def channel_uid(self) -> str | None:
        """The channel, None for the flow's."""

    @property
    def template_uid(self) -> str:
        """The template."""

    @property
    def template_version(self) -> str | int:
        """A number, or latest."""


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
    for node in graph:
        if isinstance(node.step, Sending):
            channel, found = _check_channel(node, node.step, referred)
            problems += found + _check_template(node, node.step, channel, referred)
    return tuple(problems)


def _check_channel(node: Node, step: Sending, referred: Referred) -> tuple[Channel | None, list[Problem]]:
    uid, field = step.channel_uid or referred.default_channel, f"{node.field}.channelUid"
    if uid is None:
        return None, [Problem(field, f"step {node.step.id}: names no channel, and the flow has none for it")]
    channel = referred.channels.get(uid)
    if channel is None:
        return None, [Problem(field, f"step {node.step.id}: channel {uid} was not found")]
    if channel.approval is not Approval.APPROVED or not channel.active:
        state = channel.approval if channel.approval is not Approval.APPROVED else "inactive"
        return channel, [Problem(field, f"step {node.step.id}: channel {uid} is {state}")]
    return channel, []


def _check_template(node: Node, step: Sending, channel: Channel | None, referred: Referred) -> list[Problem]:
    template, field = referred.templates.get(step.template_uid), f"{node.field}.templateUid"
    if template is None:
        return [Problem(field, f"step {node.step.id}: template {step.template_uid} was not found")]
    if template.status is not TemplateStatus.PUBLISHED:
        return [Problem(field, f"step {node.step.id}: template {template.uid} is {template.status}, not PUBLISHED")]
    version = referred.versions.get(node.id)
    if version is None:
        wanted = f"step {node.step.id}: template {template.uid} has no version {step.template_version}"
        return [Problem(f"{node.field}.templateVersion", wanted)]
    if channel is not None and version.channel_type != channel.type:
        mismatch = f"step {node.step.id}: the template is for {version.channel_type}, the channel is {channel.type}"
        return [Problem(field, mismatch)]
    return []
