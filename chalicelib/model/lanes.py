"""What lanes of splits share: a label that is the exit's name, and the steps inside."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from chalicelib.model.base import StrictModel
from chalicelib.model.steps import Branch

Label = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]
#: Longer lists than a campaign may have are read all the same, so that the answer can count them.
LaneSteps = Annotated[tuple[JsonValue, ...], Field(max_length=1_000)]


class Lane(StrictModel):
    """One way out of a split."""

    label: Label
    steps: LaneSteps = ()


def branches_of(lanes: Sequence[Lane]) -> tuple[Branch, ...]:
    """The lanes as compile sees them."""
    return tuple(Branch(lane.label, lane.steps, f"lanes[{index}].steps") for index, lane in enumerate(lanes))


def check_labels(lanes: Sequence[Lane]) -> None:
    """Raises ValueError when two lanes have one label: it names the exit."""
    labels = [lane.label for lane in lanes]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"labels must differ; twice: {', '.join(repeated)}")
