"""Durations in ISO 8601, or as an object of their parts."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter

from chalicelib.model.base import StrictModel

#: For a longer plan, use a new campaign (product.md).
LONGEST = timedelta(days=365)
_ISO_8601 = TypeAdapter(timedelta)


class _Parts(StrictModel):
    """A duration by its parts, e.g. {"hours": 2, "minutes": 30}."""

    weeks: Annotated[int, Field(ge=0)] = 0
    """Number of weeks; at least 0, default 0."""
    days: Annotated[int, Field(ge=0)] = 0
    """Number of days; at least 0, default 0."""
    hours: Annotated[int, Field(ge=0)] = 0
    """Number of hours; at least 0, default 0."""
    minutes: Annotated[int, Field(ge=0)] = 0
    """Number of minutes; at least 0, default 0."""
    seconds: Annotated[int, Field(ge=0)] = 0
    """Number of seconds; at least 0, default 0."""


def _read_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        span = value
    elif isinstance(value, dict):
        span = _add_up(_Parts.model_validate(value))
    elif isinstance(value, str) and value.startswith("P"):
        span = _ISO_8601.validate_python(value)
    else:
        raise ValueError('must be an ISO 8601 duration like "P2D" or parts like {"hours": 2}')
    if not timedelta(seconds=1) <= span <= LONGEST:
        raise ValueError("must be between 1 second and 365 days")
    return span


def _add_up(parts: _Parts) -> timedelta:
    try:
        return timedelta(**parts.model_dump(by_alias=False))
    except OverflowError:
        return timedelta.max


_UNITS = (
    ("year", timedelta(days=365)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)


def describe_duration(span: timedelta) -> str:
    """Return a duration for people, in its two largest units: `1 hour 2 minutes`."""
    parts = []
    for unit, length in _UNITS:
        number, span = divmod(span, length)
        if number:
            parts.append(f"{number} {unit}{'s' if number > 1 else ''}")
    return " ".join(parts[:2]) or "0 seconds"


def _write_duration(span: timedelta) -> str:
    return str(_ISO_8601.dump_python(span, mode="json"))


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration, json_schema_input_type=str | _Parts),
    PlainSerializer(_write_duration, return_type=str, when_used="json"),
]
