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
    """Template of the message."""
    template_version: TemplateNumber = LATEST
    """Version of the template, or `latest`. Publishing the campaign pins the version. Default `latest`."""
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    """Whether values come from contact and event, or only from defaults; default `USE_CONTACT_ASSOCIATION`."""
    parameters: Parameters = {}
    """Chain of sources by variable, for example `{"city": "contact.city,default"}`."""
    parameter_defaults: Defaults = {}
    """Default values by variable, which override those of the template."""


class NoFallback(StrictModel):
    """Without a fallback: a contact that the channel cannot reach is skipped."""

    mode: Literal["none"] = "none"
    """Always `none`: the message is skipped if the channel cannot reach the contact."""


class OtherChannel(_Text):
    """With a fallback: a contact that the step's own channel cannot reach gets the message by this channel."""

    mode: Literal["channel"]
    """Always `channel`: the message goes over another channel."""
    channel_uid: Uid
    """Channel of the fallback."""


Fallback = Annotated[NoFallback | OtherChannel, Field(discriminator="mode")]


class Send(_Text, Step):
    """Without `channelUid` the step uses the flow's channel. Publishing the campaign pins `templateVersion`."""

    delivers: ClassVar[bool] = True

    type: Literal["SEND"] = "SEND"
    """Always `SEND`."""
    channel_uid: Uid | None = None
    """Channel that sends the message; null uses the flow's channel."""
    fallback: Fallback = NoFallback()
    """What happens if the channel cannot reach the contact; default `none`: the message is skipped."""

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
