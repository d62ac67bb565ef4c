"""The node types that exist; adding one is a file and its name here."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from chalicelib.model.steps import Step
from chalicelib.nodes.ab_test import AbTest
from chalicelib.nodes.condition import Condition
from chalicelib.nodes.end import End
from chalicelib.nodes.send import Send
from chalicelib.nodes.tag import Tag
from chalicelib.nodes.wait import Wait

AnyStep = Annotated[Send | Wait | Condition | AbTest | Tag | End, Field(discriminator="type")]
NODE_TYPES: tuple[type[Step], ...] = (Send, Wait, Condition, AbTest, Tag, End)
STEP: TypeAdapter[Step] = TypeAdapter(AnyStep)
