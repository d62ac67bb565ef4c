"""Segments: saved filters over fields, tags, consent and events of contacts."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Discriminator, Field, JsonValue, PlainSerializer
from pydantic import Tag as Member

from chalicelib.model.base import StoredDocument, StrictModel
from chalicelib.model.comparison import Comparison
from chalicelib.model.conditions import (
    MAX_LEAVES,
    ConsentIs,
    EventCount,
    FieldIs,
    HasTag,
    check_size,
    kind_of,
)

#: A flow stores its filter in one item, and every job that enrols contacts reads it.
MAX_BYTES = 131_072
MAX_VALUES = 10_000
_Parts = Annotated[tuple["Filter", ...], Field(min_length=1, max_length=MAX_LEAVES)]


class AllOf(Comparison):
    """A combination that holds if every part holds."""

    kind: ClassVar[str] = "all"

    all: _Parts
    """Parts that must all hold."""

    def parts(self) -> tuple[Comparison, ...]:
        """Return the parts in order."""
        return self.all


class AnyOf(Comparison):
    """A combination that holds if at least one part holds."""

    kind: ClassVar[str] = "any"

    any: _Parts
    """Parts of which at least one must hold."""

    def parts(self) -> tuple[Comparison, ...]:
        """Return the parts in order."""
        return self.any


class NoneOf(Comparison):
    """A combination that holds if no part holds."""

    kind: ClassVar[str] = "not"

    not_: Annotated[
        Annotated["Filter", Member("ONE")] | Annotated[_Parts, Member("MANY")],
        Discriminator(lambda written: "MANY" if isinstance(written, list | tuple) else "ONE"),
        Field(alias="not"),
    ]
    """Part, or list of parts, of which none may hold."""

    def parts(self) -> tuple[Comparison, ...]:
        """Return the parts in order."""
        return self.not_ if isinstance(self.not_, tuple) else (self.not_,)


Filter = Annotated[
    Annotated[AllOf, Member("ALL")]
    | Annotated[AnyOf, Member("ANY")]
    | Annotated[NoneOf, Member("NOT")]
    | Annotated[FieldIs, Member("FIELD")]
    | Annotated[EventCount, Member("EVENT")]
    | Annotated[HasTag, Member("TAG")]
    | Annotated[ConsentIs, Member("CONSENT")],
    Discriminator(
        kind_of,
        custom_error_type="unknown_comparison",
        custom_error_message=(
            "must have one of all, any, not, field, event, tag, consent"
            " (message and property belong to the steps of a campaign)"
        ),
    ),
]


def _check_size(tree: Comparison) -> Comparison:
    check_size(tree)
    return tree


def _as_written(written: Comparison) -> dict[str, JsonValue]:
    dumped: dict[str, JsonValue] = written.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dumped


SegmentFilter = Annotated[
    Filter,
    AfterValidator(_check_size),
    PlainSerializer(_as_written, return_type=dict[str, JsonValue], when_used="json"),
]


class SegmentFields(StrictModel):
    """Fields of a segment that a caller can set."""

    #: Limit of the request body.
    max_bytes: ClassVar[int] = MAX_BYTES
    max_values: ClassVar[int] = MAX_VALUES

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the segment, 1 to 200 characters."""
    description: Annotated[str, Field(max_length=2_000)] = ""
    """Free text for operators, at most 2,000 characters."""
    filter: SegmentFilter
    """Comparisons that a contact must meet."""


class Segment(SegmentFields, StoredDocument):
    """A stored segment. A flow keeps the filter that the segment had when the flow started."""

    kind: ClassVar[str] = "SEGMENT"

    def filter_attributes(self) -> Mapping[str, str]:
        return {"name": self.name.casefold()}
