"""Response models of events."""

from chalicelib.model.base import StrictModel


class EventResult(StrictModel):
    """What became of one event; `field` and `message` where it was refused."""

    id: str
    contact_uid: str | None
    status: str
    field: str | None = None
    message: str | None = None


class EventResults(StrictModel):
    """One result for each event, in order."""

    accepted: int
    results: tuple[EventResult, ...]
