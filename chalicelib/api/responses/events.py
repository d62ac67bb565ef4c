"""Response models of events."""

from typing import Annotated

from pydantic import Field

from chalicelib.model.base import StrictModel


def _is_none(value: object) -> bool:
    return value is None


class EventResult(StrictModel):
    """What became of one event; `field` and `message` where it was refused."""

    id: str
    contact_uid: str | None
    status: str
    field: Annotated[str | None, Field(exclude_if=_is_none)] = None
    message: Annotated[str | None, Field(exclude_if=_is_none)] = None


class EventResults(StrictModel):
    """One result for each event, in order."""

    accepted: int
    results: tuple[EventResult, ...]
