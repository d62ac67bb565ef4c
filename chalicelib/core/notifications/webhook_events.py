"""What webhooks are told, and when they are tried again."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

from pydantic import JsonValue

from chalicelib.core.campaigns.campaign_state import campaign_state
from chalicelib.model.alert import Alert
from chalicelib.model.base import rfc3339
from chalicelib.model.event import Event
from chalicelib.model.execution import Execution
from chalicelib.model.flow import Flow
from chalicelib.model.ids import new_uid
from chalicelib.model.webhook import WebhookDelivery, Webhooks

#: security.md: after the first attempt at once; then it has failed, and can be replayed.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=24))
News = tuple[str, Mapping[str, JsonValue]]


def next_attempt_at(tries: int, now: datetime) -> datetime | None:
    """After so many attempts, counted from 1; None after the last."""
    return now + PAUSES[tries - 1] if 0 < tries <= len(PAUSES) else None


def flow_events(before: Flow | None, after: Flow) -> Iterator[News]:
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


def deliveries_of(
    document: Flow | Alert, before: Flow | None, webhooks: Webhooks, now: datetime
) -> list[WebhookDelivery]:
    """Return one delivery for each event of the stored document and each webhook that subscribes to it.

    `before` is the stored flow that `document` replaces, or None.
    """
    events = [(document.name, document.data)] if isinstance(document, Alert) else flow_events(before, document)
    return [
        WebhookDelivery(
            uid=new_uid(),
            created_at=now,
            updated_at=now,
            webhook_uid=webhook.uid,
            event=event[0],
            body=write_body(event, now),
            due=now,
        )
        for event in events
        for webhook in webhooks.entries
        if webhook.wants(event[0])
    ]


def execution_events(before: Execution | None, after: Execution, names: frozenset[str]) -> Iterator[Event]:
    """Of the events called `names` what a row's change is: messages that are decided, and the end of the walk.

    Their ids and times follow from the row, so a row may be told again, from its beginning (`before` is None).
    """
    known = before.results if before else {}
    for node, result in after.results.items():
        if f"message.{result.outcome}" in names and node not in known:
            about = {"nodeId": node, "messageUid": str(after.message_uid(node)), "channelUid": result.channel}
            yield _row_event(f"message.{result.outcome}", after, result.at, about, result.reason)
    if f"execution.{after.status}" in names and (before is None or before.is_open):
        yield _row_event(f"execution.{after.status}", after, after.updated, {"nodeId": after.node}, after.reason)


def _row_event(name: str, row: Execution, at: datetime, about: Mapping[str, JsonValue], reason: str | None) -> Event:
    key = row.key
    told = {"flowUid": key.flow, "campaignVersion": row.version, **about, "reason": reason}
    # As it is stored, so that the row that is read again tells the same.
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    digest = blake2b(f"{key.workspace}.{key.flow}.{key.execution_id}.{about.get('nodeId')}".encode(), digest_size=16)
    properties = {field: value for field, value in told.items() if value not in (None, "")}
    return Event(
        id=f"{name}:{digest.hexdigest()}", name=name, contact_uid=key.contact, properties=properties, occurred_at=at
    )


def contact_events(event: Event) -> News:
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
