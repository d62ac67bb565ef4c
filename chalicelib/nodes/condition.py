"""CONDITION: takes the first lane with a `when` that holds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chalicelib.model.conditions import MessageIs, When, check_size, leaves, required_events
from chalicelib.model.lanes import Lane, branches_of, check_labels
from chalicelib.model.steps import Branch, Continue, NodeOutcome, Reference, Step, StepContext

OTHERWISE = "otherwise"


class ConditionalLane(Lane):
    """A lane with its condition. Only the last lane may omit `when`: it takes all other contacts."""

    when: When | None = None
    """Condition of the lane. Only the last lane may omit it; then it takes all other contacts."""


class Condition(Step):
    """Two to ten lanes. If the last lane has a condition, other contacts continue after the split."""

    type: Literal["CONDITION"] = "CONDITION"
    """Always `CONDITION`."""
    lanes: Annotated[tuple[ConditionalLane, ...], Field(min_length=2, max_length=10)]
    """Lanes, 2 to 10. A contact takes the first lane with a matching condition."""

    @model_validator(mode="after")
    def _check_lanes(self) -> Self:
        check_labels(self.lanes)
        for lane in self.lanes:
            if lane.when is not None:
                check_size(lane.when)
        for index, lane in enumerate(self.lanes[:-1]):
            if lane.when is None:
                raise ValueError(f"lanes[{index}] has no when, so the lanes after it would never be taken")
        if self._has_otherwise and any(lane.label == OTHERWISE for lane in self.lanes):
            raise ValueError(f"the label {OTHERWISE} is reserved for the exit of all other contacts")
        return self

    @property
    def _has_otherwise(self) -> bool:
        return self.lanes[-1].when is not None

    @property
    def exits(self) -> tuple[str, ...]:
        """The exit for contacts that no lane takes."""
        return (OTHERWISE,) if self._has_otherwise else ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The lanes."""
        return branches_of(self.lanes)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The messages that the conditions read."""
        return tuple(
            Reference(leaf.message, f"lanes[{index}].when")
            for index, lane in enumerate(self.lanes)
            if lane.when is not None
            for leaf in leaves(lane.when)
            if isinstance(leaf, MessageIs)
        )

    @property
    def required_events(self) -> frozenset[str]:
        """The events that the conditions read."""
        return frozenset().union(*(required_events(lane.when) for lane in self.lanes if lane.when is not None))

    def decide(self, context: StepContext) -> NodeOutcome:
        """Choose the lane; for the inspector, also return the comparison that decided."""
        for lane in self.lanes:
            if lane.when is None:
                return Continue(lane.label, "no other lane")
            if why := lane.when.holds(context):
                return Continue(lane.label, why)
        return Continue(OTHERWISE, "no lane")
