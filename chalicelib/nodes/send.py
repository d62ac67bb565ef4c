"""SEND: sends one message by a channel and a template."""

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
    """The template, its version and the values of its variables."""

    template_uid: Uid
    template_version: TemplateNumber = LATEST
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}


class NoFallback(StrictModel):
    """Without a fallback: a contact that the channel cannot reach is skipped."""

    mode: Literal["none"] = "none"


class OtherChannel(_Text):
    """With a fallback: a contact that the step's own channel cannot reach gets the message by this channel."""

    mode: Literal["channel"]
    channel_uid: Uid


Fallback = Annotated[NoFallback | OtherChannel, Field(discriminator="mode")]


class Send(_Text, Step):
    """Without `channelUid` the step uses the flow's channel. Publishing the campaign pins `templateVersion`."""

    delivers: ClassVar[bool] = True

    type: Literal["SEND"] = "SEND"
    channel_uid: Uid | None = None
    fallback: Fallback = NoFallback()

    @property
    def options(self) -> tuple[SendOption, ...]:
        """The send options in the order of the attempts."""
        own = SendOption("", "", self)
        if isinstance(self.fallback, OtherChannel):
            return (own, SendOption("/fallback", "fallback.", self.fallback))
        return (own,)

    def decide(self, context: StepContext) -> NodeOutcome:
        """Send the message, unless it already has a result."""
        del context
        return Deliver()
