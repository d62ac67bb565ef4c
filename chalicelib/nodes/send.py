"""SEND: one message by a channel and a template."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from chalicelib.model.base import Uid
from chalicelib.model.steps import Deliver, NodeOutcome, Step, StepContext
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy

LATEST: Literal["latest"] = "latest"


def _check_number(value: object) -> object:
    if value == LATEST or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError('must be "latest" or a version number from 1')


TemplateNumber = Annotated[Literal["latest"] | int, BeforeValidator(_check_number)]


class Send(Step):
    """Without `channelUid` the flow's channel carries it; publishing the campaign pins `templateVersion`."""

    type: Literal["SEND"] = "SEND"
    channel_uid: Uid | None = None
    template_uid: Uid
    template_version: TemplateNumber = LATEST
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}

    def decide(self, context: StepContext) -> NodeOutcome:
        """A message that was handed over (or found impossible) before is never handed over again."""
        del context
        return Deliver()
