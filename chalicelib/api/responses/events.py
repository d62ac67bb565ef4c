"""Response models of events."""

from typing import Annotated

from pydantic import Field

from chalicelib.model.base import StrictModel


def _is_none(value: object) -> bool:
    return value is None


class EventResult(StrictModel):
    """What became of one event; `field` and `message` where it was refused."""

    id: str
    """Identifier of the event, from the request or generated."""
    contact_uid: str | None
    """Contact of the event; null if it was not found."""
    status: str
    """`accepted` or `refused`."""
    field: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """Path to the field that was refused; absent for an accepted event."""
    message: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """Why the event was refused; absent for an accepted event."""


class EventResults(StrictModel):
    """One result for each event, in order."""

    accepted: int
    """Number of accepted events."""
    results: tuple[EventResult, ...]
    """One result for each event of the request, in order."""
