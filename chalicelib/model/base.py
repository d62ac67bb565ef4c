"""Base classes for external input: camelCase or snake_case, frozen, no unknown fields, no implicit conversions."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from chalicelib.model.ids import UID_PATTERN


class StrictModel(BaseModel):
    """Base of every model that is read from HTTP, a queue or a table."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
        # Build validators on first use: one Lambda function needs few of them, and building all would slow down its
        # cold start.
        defer_build=True,
    )


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("needs a time zone: add Z or an offset such as +02:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be in the years 1 to 9999") from error


def rfc3339(moment: datetime) -> str:
    """Format a time as the API does: UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_written(value: object) -> object:
    """Accept date-times only: Pydantic would read "20261231" as seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", value)):
        return value
    raise ValueError("must be a date-time like 2026-12-31T09:00:00Z")


#: A date-time with or without a zone.
WrittenTime = Annotated[datetime, Field(strict=False), BeforeValidator(_as_written, json_schema_input_type=datetime)]
Moment = Annotated[WrittenTime, AfterValidator(_to_utc), PlainSerializer(rfc3339, return_type=str, when_used="json")]
Uid = Annotated[str, Field(pattern=UID_PATTERN)]


class StoredDocument(StrictModel):
    """A document that is stored under its uid. `rev` counts its writes and is the optimistic lock."""

    #: Part of the key, and the name in "… was not found". Stored, so it must not change.
    kind: ClassVar[str]

    uid: Uid
    """Identifier of the object, unique in the workspace."""
    created_at: Moment
    """Time at which the object was created."""
    updated_at: Moment
    """Time of the last change of the object."""
    rev: int = 0

    @property
    def is_active(self) -> bool:
        """Report whether scheduled tasks must look at the document."""
        return False

    @property
    def due_at(self) -> datetime | None:
        """The time at which a scheduled task must look at the document; None means never."""
        return None

    @property
    def forget_at(self) -> datetime | None:
        """The time after which DynamoDB may delete the document; None means never."""
        return None

    def filter_attributes(self) -> Mapping[str, str]:
        """Return the attributes that are stored beside the document. Lists can be filtered by them."""
        return {}
