"""Events: what a contact or the system did. They are stored in the contact's history and can trigger campaigns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import JsonValue, StringConstraints, field_validator

from chalicelib.model.base import Moment, StrictModel, Uid

#: Words joined by dots, e.g. `order.placed`.
EVENT_NAME = r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$"
EventName = Annotated[str, StringConstraints(pattern=EVENT_NAME, max_length=64)]
#: Prefixes of events that only Carillon itself may report.
RESERVED = ("contact.", "consent.", "message.")
#: Retention of events (security.md).
EVENT_LIFE = timedelta(days=400)
#: The properties are copied to every execution that the event starts.
MAX_PROPERTIES_BYTES = 4_096


def check_properties(properties: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Check the size. ValueError above MAX_PROPERTIES_BYTES of JSON."""
    if (size := len(json.dumps(properties, ensure_ascii=False).encode())) > MAX_PROPERTIES_BYTES:
        raise ValueError(f"may have at most {MAX_PROPERTIES_BYTES:,} bytes as JSON; got {size:,}")
    return properties


class Event(StrictModel):
    """A stored event. A second report with the same `id` is the same event."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: EventName
    contact_uid: Uid
    properties: Mapping[str, JsonValue] = {}
    occurred_at: Moment

    @field_validator("properties")
    @classmethod
    def _check_size(cls, properties: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        return check_properties(properties)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A query of a contact's history: the newest `limit` events with these names since a time."""

    names: frozenset[str]
    limit: int
    since: datetime | None = None


#: Events by contact uid, newest first.
Histories = Mapping[str, tuple[Event, ...]]
