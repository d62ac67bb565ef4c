"""END: ends the execution."""

from typing import Literal

from chalicelib.model.steps import NodeOutcome, Step, StepContext, Stop


class End(Step):
    """Ends the execution, also inside a lane."""

    type: Literal["END"] = "END"
    """Always `END`."""

    @property
    def exits(self) -> tuple[str, ...]:
        """No exit: nothing follows."""
        return ()

    def decide(self, context: StepContext) -> NodeOutcome:
        """Always stop."""
        del context
        return Stop()
