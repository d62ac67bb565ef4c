"""Base model and field types of provider events.

A provider may send any JSON. A value of the wrong type reads as if it were missing, so validation never fails.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator


def _to_text(value: object) -> str:
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        return ""
    # JSON may hold half of a surrogate pair, which cannot be stored. It becomes a question mark.
    return str(value).encode(errors="replace").decode()


def _to_texts(value: object) -> tuple[str, ...]:
    return tuple(map(_to_text, value)) if isinstance(value, list) else ()


def _to_flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _to_object(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _to_objects(value: object) -> list[object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


#: A string, or a number as text. Other values are read as empty. Providers write ids and codes both ways.
Text = Annotated[str, PlainValidator(_to_text)]
#: A list of texts. Other values are read as empty.
Texts = Annotated[tuple[str, ...], PlainValidator(_to_texts)]
#: True or false. Other values are read as None.
Flag = Annotated[bool | None, PlainValidator(_to_flag)]
#: Marks a field that holds a model: anything but an object reads as an empty object.
LENIENT = BeforeValidator(_to_object)
#: Marks a field that holds models: only the objects of a list are read.
LENIENT_LIST = BeforeValidator(_to_objects)


class ProviderEvent(BaseModel):
    """An object that a provider sends. Unknown fields are ignored, and every field has a default."""

    # Validators are built at the first event: a worker that only sends does not pay for them at its cold start.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    @classmethod
    def read(cls, value: object) -> Self:
        """Read a JSON value; anything but an object reads as an empty object. Never raises."""
        return cls.model_validate(_to_object(value))


def get_first(texts: tuple[str, ...]) -> str:
    """Return the first of several texts; empty for none."""
    return texts[0] if texts else ""
