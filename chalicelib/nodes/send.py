"""SEND: one message by a channel and a template."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.model.base import Uid
from chalicelib.model.steps import Deliver, NodeOutcome, Step, StepContext
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy


class Send(Step):
    """Without `channelUid` the flow's channel carries it; publishing the campaign pins `templateVersion`."""

    type: Literal["SEND"] = "SEND"
    channel_uid: Uid | None = None
    template_uid: Uid
    template_version: Literal["latest"] | Annotated[int, Field(ge=1)] = "latest"
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}

    def decide(self, context: StepContext) -> NodeOutcome:
        """A message that was handed over (or found impossible) before is never handed over again."""
        del context
        return Deliver()
