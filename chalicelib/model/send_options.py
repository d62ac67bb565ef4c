"""Send options of a step: its own channel and template, and fallbacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from chalicelib.model.template import Defaults, ParameterStrategy


class MessageSpec(Protocol):
    """A channel and a template, with the values of the template's variables."""

    @property
    def channel_uid(self) -> str | None:
        """The channel; None means the channel of the flow."""

    @property
    def template_uid(self) -> str:
        """The template."""

    @property
    def template_version(self) -> str | int:
        """A version number, or `latest`."""

    @property
    def parameter_strategy(self) -> ParameterStrategy:
        """The origin of the variables' values."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Variable → chain of sources."""

    @property
    def parameter_defaults(self) -> Defaults:
        """Variable → value if no source has one."""


@dataclass(frozen=True, slots=True)
class SendOption:
    """A message that a step may send.

    `suffix` follows the node id in the key of the pinned template version; `prefix` precedes the names of its fields in
    problems.
    """

    suffix: str
    prefix: str
    sending: MessageSpec


@runtime_checkable
class SendsMessage(Protocol):
    """A step that sends messages."""

    @property
    def options(self) -> tuple[SendOption, ...]:
        """Return the send options in the order of the attempts."""
