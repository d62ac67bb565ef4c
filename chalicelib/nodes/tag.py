"""TAG: adds and removes tags of the contact."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chalicelib.model.contact import MAX_TAGS
from chalicelib.model.contact import Tag as TagName
from chalicelib.model.steps import ChangeTags, NodeOutcome, Step, StepContext

Tags = Annotated[tuple[TagName, ...], Field(max_length=MAX_TAGS)]


class Tag(Step):
    """At least one tag to add or to remove; no tag in both lists."""

    type: Literal["TAG"] = "TAG"
    """Always `TAG`."""
    add: Tags = ()
    """Tags to add to the contact, at most 50."""
    remove: Tags = ()
    """Tags to remove from the contact, at most 50."""

    @model_validator(mode="after")
    def _check_tags(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("set at least one tag to add or to remove")
        if both := sorted(set(self.add) & set(self.remove)):
            raise ValueError(f"cannot both add and remove {', '.join(both)}")
        return self

    def decide(self, context: StepContext) -> NodeOutcome:
        """Change the tags, even if nothing would change: repeating it is harmless."""
        del context
        return ChangeTags(self.add, self.remove)
