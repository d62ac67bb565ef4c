"""The node types that exist; adding one is a file and its name here."""

from typing import Annotated, Union

from pydantic import Field, TypeAdapter

from chalicelib.model.steps import Step
from chalicelib.nodes.ab_test import AbTest
from chalicelib.nodes.condition import Condition
from chalicelib.nodes.end import End
from chalicelib.nodes.send import Send
from chalicelib.nodes.tag import Tag
from chalicelib.nodes.wait import Wait

NODE_TYPES: tuple[type[Step], ...] = (Send, Wait, Condition, AbTest, Tag, End)
#: Reads a step of any type, told by its `type`.
_ANY = Union[NODE_TYPES]  # type: ignore[valid-type]  # noqa: UP007 - a tuple, which neither mypy nor | takes
STEP: TypeAdapter[Step] = TypeAdapter(Annotated[_ANY, Field(discriminator="type")])
