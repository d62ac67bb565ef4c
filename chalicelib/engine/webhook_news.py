"""What webhooks are told, and when they are tried again."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue

from chalicelib.engine.campaign_state import campaign_state
from chalicelib.model.base import rfc3339
from chalicelib.model.event import Event
from chalicelib.model.flow import Flow

#: security.md: after the first attempt at once; then it has failed, and can be replayed.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=24))
News = tuple[str, Mapping[str, JsonValue]]


def next_try(tries: int, now: datetime) -> datetime | None:
    """After so many attempts, counted from 1; None after the last."""
    return now + PAUSES[tries - 1] if 0 < tries <= len(PAUSES) else None


def flow_news(before: Flow | None, after: Flow) -> Iterator[News]:
    """`flow.*` when its status moves, `campaign.*` when that moves the campaign's state."""
    if before is not None and before.status is after.status:
        return
    told: dict[str, JsonValue] = {
        "flowUid": after.uid,
        "campaignUid": after.campaign_uid,
        "status": after.status.value,
        "previousStatus": before.status.value if before else None,
        "pauseReason": after.pause_reason,
        "endReason": after.end_reason,
    }
    yield f"flow.{after.status}", told
    state = campaign_state(after, None)
    if before is None or campaign_state(before, None) is not state:
        yield f"campaign.{state.lower()}", {"campaignUid": after.campaign_uid, "state": state, "flowUid": after.uid}


def event_news(event: Event) -> News:
    """What a contact did or what became of it."""
    told: dict[str, JsonValue] = {
        "id": event.id,
        "contactUid": event.contact_uid,
        "properties": dict(event.properties),
    }
    return event.name, told


def write_body(news: News, at: datetime) -> str:
    """The text that is signed and sent."""
    name, data = news
    content = {"type": name, "timestamp": rfc3339(at), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
