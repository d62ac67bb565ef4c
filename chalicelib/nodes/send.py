"""SEND: one message by a channel and a template."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.send_options import SendOption
from chalicelib.model.steps import Deliver, NodeOutcome, Step, StepContext
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy

LATEST: Literal["latest"] = "latest"


def _check_number(value: object) -> object:
    if value == LATEST or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError('must be "latest" or a version number from 1')


TemplateNumber = Annotated[Literal["latest"] | int, BeforeValidator(_check_number)]


class _Text(StrictModel):
    """Which template, in which version, with which values."""

    template_uid: Uid
    template_version: TemplateNumber = LATEST
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}


class NoFallback(StrictModel):
    """Who cannot be reached is skipped."""

    mode: Literal["none"] = "none"


class OtherChannel(_Text):
    """Who cannot be reached by the step's own channel is written to by this one."""

    mode: Literal["channel"]
    channel_uid: Uid


Fallback = Annotated[NoFallback | OtherChannel, Field(discriminator="mode")]


class Send(_Text, Step):
    """Without `channelUid` the flow's channel carries it; publishing the campaign pins `templateVersion`."""

    delivers: ClassVar[bool] = True

    type: Literal["SEND"] = "SEND"
    channel_uid: Uid | None = None
    fallback: Fallback = NoFallback()

    @property
    def offers(self) -> tuple[SendOption, ...]:
        """What it names to be sent, in the order in which it is tried."""
        own = SendOption("", "", self)
        if isinstance(self.fallback, OtherChannel):
            return (own, SendOption("/fallback", "fallback.", self.fallback))
        return (own,)

    def decide(self, context: StepContext) -> NodeOutcome:
        """A message that was handed over (or found impossible) before is never handed over again."""
        del context
        return Deliver()
