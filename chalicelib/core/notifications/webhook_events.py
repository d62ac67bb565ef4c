"""Build the events that webhooks receive, and the times at which a delivery is retried."""

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

#: Delays after each failed attempt. The first attempt is immediate; after the fifth the delivery has failed.
RETRY_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=24))
#: Name and data of an event.
WebhookEvent = tuple[str, Mapping[str, JsonValue]]


def next_attempt_at(tries: int, now: datetime) -> datetime | None:
    """Return when a delivery is tried again after `tries` failed attempts, or None after the last."""
    return now + RETRY_DELAYS[tries - 1] if 0 < tries <= len(RETRY_DELAYS) else None


def flow_events(before: Flow | None, after: Flow) -> Iterator[WebhookEvent]:
    """Yield `flow.*` if the status changed, and `campaign.*` if that changes the state of the campaign."""
    if before is not None and before.status is after.status:
        return
    data: dict[str, JsonValue] = {
        "flowUid": after.uid,
        "campaignUid": after.campaign_uid,
        "status": after.status.value,
        "previousStatus": before.status.value if before else None,
        "pauseReason": after.pause_reason,
        "endReason": after.end_reason,
    }
    yield f"flow.{after.status}", data
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
    """Yield the events of an execution's change that `names` contains: message outcomes and the final status.

    Ids and times are derived from the execution, so all its events may be published again with `before` None.
    """
    known = before.results if before else {}
    for node, result in after.results.items():
        if f"message.{result.outcome}" in names and node not in known:
            message = {"nodeId": node, "messageUid": str(after.message_uid(node)), "channelUid": result.channel}
            yield _execution_event(f"message.{result.outcome}", after, result.at, message, result.reason)
    if f"execution.{after.status}" in names and (before is None or before.is_open):
        yield _execution_event(f"execution.{after.status}", after, after.updated, {"nodeId": after.node}, after.reason)


def _execution_event(
    name: str, execution: Execution, at: datetime, details: Mapping[str, JsonValue], reason: str | None
) -> Event:
    key = execution.key
    data = {"flowUid": key.flow, "campaignVersion": execution.version, **details, "reason": reason}
    # Times are stored in ms. Without this cut, an execution that is read again would yield another time.
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    digest = blake2b(f"{key.workspace}.{key.flow}.{key.execution_id}.{details.get('nodeId')}".encode(), digest_size=16)
    properties = {field: value for field, value in data.items() if value not in (None, "")}
    return Event(
        id=f"{name}:{digest.hexdigest()}", name=name, contact_uid=key.contact, properties=properties, occurred_at=at
    )


def as_webhook_event(event: Event) -> WebhookEvent:
    """Return the webhook event of a contact's event."""
    data: dict[str, JsonValue] = {
        "id": event.id,
        "contactUid": event.contact_uid,
        "properties": dict(event.properties),
    }
    return event.name, data


def write_body(event: WebhookEvent, at: datetime) -> str:
    """Return the JSON text that is signed and sent."""
    name, data = event
    content = {"type": name, "timestamp": rfc3339(at), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
