"""END: the walk ends here."""

from typing import Literal

from chalicelib.model.steps import NodeOutcome, Step, StepContext, Stop


class End(Step):
    """Also ends a lane before the lanes gather."""

    type: Literal["END"] = "END"

    @property
    def exits(self) -> tuple[str, ...]:
        """None: nothing comes after it."""
        return ()

    def decide(self, context: StepContext) -> NodeOutcome:
        """Always stops."""
        del context
        return Stop()
