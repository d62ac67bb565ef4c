"""END: the walk ends here."""

from typing import ClassVar, Literal

from chalicelib.model.steps import NodeOutcome, Step, StepContext, Stop


class End(Step):
    """Also ends a lane before the lanes gather."""

    type: Literal["END"] = "END"
    exits: ClassVar[tuple[str, ...]] = ()

    def decide(self, context: StepContext) -> NodeOutcome:
        """Always stops."""
        del context
        return Stop()
