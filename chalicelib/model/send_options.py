"""What a step that sends names to be sent: its own channel and template, and perhaps others instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from chalicelib.model.template import Defaults, ParameterStrategy


class MessageSpec(Protocol):
    """A channel and a template, with the values of its variables."""

    @property
    def channel_uid(self) -> str | None:
        """The channel, None for the flow's."""

    @property
    def template_uid(self) -> str:
        """The template."""

    @property
    def template_version(self) -> str | int:
        """A number, or latest."""

    @property
    def parameter_strategy(self) -> ParameterStrategy:
        """Where values come from."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Variable → chain of sources."""

    @property
    def parameter_defaults(self) -> Defaults:
        """Variable → value when nothing else has one."""


@dataclass(frozen=True, slots=True)
class SendOption:
    """`suffix` behind the node's id names its pinned template, `prefix` stands before its fields."""

    suffix: str
    prefix: str
    sending: MessageSpec


@runtime_checkable
class SendsMessage(Protocol):
    """A step that sends."""

    @property
    def offers(self) -> tuple[SendOption, ...]:
        """In the order in which they are tried."""
