"""The registry of node types. To add one, create its file and add its name here."""

import json
from typing import Annotated, Union

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter

from chalicelib.model.steps import Step
from chalicelib.nodes.ab_test import AbTest
from chalicelib.nodes.condition import Condition
from chalicelib.nodes.end import End
from chalicelib.nodes.send import Send
from chalicelib.nodes.tag import Tag
from chalicelib.nodes.wait import Wait

NODE_TYPES: tuple[type[Step], ...] = (Send, Wait, Condition, AbTest, Tag, End)
_BY_TYPE = {str(each.model_fields["type"].default): each for each in NODE_TYPES}
_ANY = Union[NODE_TYPES]  # type: ignore[valid-type]  # noqa: UP007 - a tuple, which neither mypy nor | takes
#: A step of any type, identified by `type`.
STEP: TypeAdapter[Step] = TypeAdapter(Annotated[_ANY, Field(discriminator="type")], config=ConfigDict(defer_build=True))


def read_step(written: JsonValue) -> Step:
    """Parse a step. Raises ValidationError, and RecursionError for input that is nested too deeply.

    The model of its type validates a step, so a process builds only the validators of types in use. The validator of
    CONDITION takes longer to build than all others together, and most flows have no CONDITION.
    """
    named = written.get("type") if isinstance(written, dict) else None
    known = _BY_TYPE.get(named) if isinstance(named, str) else None
    text = json.dumps(written)
    return known.model_validate_json(text) if known else STEP.validate_json(text)
