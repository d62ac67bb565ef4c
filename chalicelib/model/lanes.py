"""Lanes of splits: a label, which is the name of the exit, and the steps of the lane."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from chalicelib.model.base import StrictModel
from chalicelib.model.steps import Branch

Label = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]
#: Reads longer lists than a campaign may have, so that the error can state their length.
LaneSteps = Annotated[tuple[JsonValue, ...], Field(max_length=1_000)]


class Lane(StrictModel):
    """One lane of a split."""

    label: Label
    """Name of the lane, 1 to 50 characters, unique in the step."""
    steps: LaneSteps = ()
    """Steps of the lane. After them the contact continues behind the split."""


def branches_of(lanes: Sequence[Lane]) -> tuple[Branch, ...]:
    """Convert the lanes for the compiler."""
    return tuple(Branch(lane.label, lane.steps, f"lanes[{index}].steps") for index, lane in enumerate(lanes))


def check_labels(lanes: Sequence[Lane]) -> None:
    """Check that labels are unique, because they name exits. ValueError for a duplicate."""
    labels = [lane.label for lane in lanes]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"labels must be unique; duplicate: {', '.join(repeated)}")
