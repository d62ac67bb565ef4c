"""AB_TEST: splits contacts by weights. A contact always gets the same lane."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from chalicelib.model.lanes import Lane, branches_of, check_labels
from chalicelib.model.stable_random import stable_fraction
from chalicelib.model.steps import Branch, Continue, NodeOutcome, Step, StepContext

TOTAL_WEIGHT = 100


class WeightedLane(Lane):
    """A lane with its `weight` in percent."""

    weight: Annotated[int, Field(ge=0, le=TOTAL_WEIGHT)]
    """Share of the contacts that take this lane, in percent, 0 to 100."""


class AbTest(Step):
    """Two to five lanes. Their weights add up to 100."""

    compares_lanes: ClassVar[bool] = True

    type: Literal["AB_TEST"] = "AB_TEST"
    """Always `AB_TEST`."""
    lanes: Annotated[tuple[WeightedLane, ...], Field(min_length=2, max_length=5)]
    """Lanes, 2 to 5. Their weights must add up to 100."""

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        check_labels(self.lanes)
        total = sum(lane.weight for lane in self.lanes)
        if total != TOTAL_WEIGHT:
            raise ValueError(f"the weights must add up to {TOTAL_WEIGHT}; got {total}")
        return self

    @property
    def exits(self) -> tuple[str, ...]:
        """No exit besides the lanes."""
        return ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The lanes."""
        return branches_of(self.lanes)

    @property
    def odds(self) -> Mapping[str, float]:
        """The weights."""
        return {lane.label: lane.weight / TOTAL_WEIGHT for lane in self.lanes}

    def decide(self, context: StepContext) -> NodeOutcome:
        """Choose the lane by a hash of campaign, node and contact.

        Retries, new flows and new versions choose the same lane.
        """
        point = stable_fraction(context.campaign, context.node, context.contact.uid) * TOTAL_WEIGHT
        reached = 0
        for lane in self.lanes:
            reached += lane.weight
            if point < reached:
                return Continue(lane.label)
        return Continue(self.lanes[-1].label)
