"""An event: something that a contact or the system did, kept in the contact's history and listened to by campaigns."""

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
#: Names under which only Carillon itself reports.
RESERVED = ("contact.", "consent.", "message.")
#: security.md: what contacts did is forgotten after this long.
EVENT_LIFE = timedelta(days=400)
#: The properties travel on the row of every execution that the event starts.
MAX_PROPERTIES_BYTES = 4_096


def check_properties(properties: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Raises ValueError when they are larger than MAX_PROPERTIES_BYTES as JSON."""
    if (size := len(json.dumps(properties, ensure_ascii=False).encode())) > MAX_PROPERTIES_BYTES:
        raise ValueError(f"are at most {MAX_PROPERTIES_BYTES:,} bytes as JSON, these are {size:,}")
    return properties


class Event(StrictModel):
    """As it is kept; `id` tells a second report of the same event from another event."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: EventName
    contact_uid: Uid
    properties: Mapping[str, JsonValue] = {}
    occurred_at: Moment

    @field_validator("properties")
    @classmethod
    def _small(cls, properties: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        return check_properties(properties)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Of a contact's history: the newest `limit` events of these names, from `since` on."""

    names: frozenset[str]
    limit: int
    since: datetime | None = None


#: By the contact's uid, newest first.
Histories = Mapping[str, tuple[Event, ...]]
