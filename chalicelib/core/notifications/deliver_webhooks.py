"""Deliver events to webhooks: create deliveries, send those that are due, and record the result of each call."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby

from chalicelib.core.notifications.manage_webhooks import disable_webhook, get_webhook, secrets_of
from chalicelib.core.notifications.webhook_events import WebhookEvent, as_webhook_event, next_attempt_at, write_body
from chalicelib.errors import Conflict, NotFound, RetryLater
from chalicelib.model.event import Event
from chalicelib.model.ids import WorkspaceUid, new_uid, uid_at
from chalicelib.model.webhook import (
    MAX_ATTEMPTS,
    TEST_EVENT,
    WEBHOOKS,
    CallResult,
    DeliveryAttempt,
    DeliveryStatus,
    OutgoingCall,
    Webhook,
    WebhookDelivery,
    Webhooks,
)
from chalicelib.ports import Ports

#: A call without a result after this time is made again. It is longer than the queue and the 10 s of a call take.
LEASE = timedelta(minutes=3)
#: A due delivery is queued again only after this time. Otherwise one that was just queued would be queued twice.
REQUEUE_AFTER = timedelta(seconds=30)
_GONE = 410


def enqueue_webhooks(ports: Ports, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
    """Create one delivery for each event and each webhook that wants it. A repeated event creates no second one."""
    webhooks = ports.catalog.find(workspace, Webhooks, WEBHOOKS) if events else None
    uids = []
    for event in events:
        for webhook in webhooks.entries if webhooks else ():
            if webhook.wants(event.name):
                uid = uid_at(event.occurred_at, webhook.uid, event.id)
                delivery = _build(ports, webhook, as_webhook_event(event), uid)
                with suppress(Conflict):
                    ports.catalog.add(workspace, delivery)
                uids.append(delivery.uid)
    _schedule(ports, workspace, uids)


def send_test_event(ports: Ports, workspace: WorkspaceUid, uid: str) -> WebhookDelivery:
    """Send a test event, even if the webhook is inactive. Raises NotFound."""
    webhook = get_webhook(ports, workspace, uid)
    delivery = _build(ports, webhook, (TEST_EVENT, {"webhookUid": uid}), new_uid())
    ports.catalog.add(workspace, delivery)
    _schedule(ports, workspace, [delivery.uid])
    return delivery


def replay(ports: Ports, workspace: WorkspaceUid, webhook_uid: str, uid: str) -> WebhookDelivery:
    """Restart the attempts of a delivery under the same id. Raises NotFound, or Conflict while it is pending."""
    delivery = ports.catalog.get(workspace, WebhookDelivery, uid)
    if delivery.webhook_uid != webhook_uid:
        raise NotFound("WebhookDelivery", uid)
    if delivery.status is DeliveryStatus.PENDING:
        raise Conflict("The delivery is still pending", delivery.status, ("delivered", "failed"))
    now = ports.clock.now()
    changes = {"status": DeliveryStatus.PENDING, "tries": 0, "due": now, "updated_at": now}
    saved = ports.catalog.save(workspace, delivery.model_copy(update=changes))
    _schedule(ports, workspace, [uid])
    return saved


def _build(ports: Ports, webhook: Webhook, event: WebhookEvent, uid: str) -> WebhookDelivery:
    now = ports.clock.now()
    return WebhookDelivery(
        uid=uid,
        created_at=now,
        updated_at=now,
        webhook_uid=webhook.uid,
        event=event[0],
        body=write_body(event, now),
        due=now,
    )


def _schedule(ports: Ports, workspace: WorkspaceUid, uids: Sequence[str]) -> None:
    """Queue deliveries. If the queue fails, `requeue_overdue` finds them later."""
    if uids:
        with suppress(RetryLater):
            ports.webhook_scheduler.schedule(workspace, uids)


def requeue_overdue(ports: Ports) -> int:
    """Queue deliveries that are due or lost their queue message. Runs every minute; returns their number."""
    before = ports.clock.now() - REQUEUE_AFTER * ports.clock.speed
    due = [(workspace, uid) for workspace, uid, _ in ports.schedule.list_due(WebhookDelivery, before)]
    for workspace, entries in groupby(sorted(due), key=lambda entry: entry[0]):
        ports.webhook_scheduler.schedule(workspace, [uid for _, uid in entries])
    return len(due)


def send_due(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Send the call of a delivery to the calling function. Does nothing if the delivery is not due."""
    now = ports.clock.now()
    delivery = ports.catalog.find(workspace, WebhookDelivery, uid)
    if delivery is None or delivery.due is None or delivery.due > now:
        return
    webhooks = ports.catalog.find(workspace, Webhooks, WEBHOOKS)
    webhook = webhooks.find(delivery.webhook_uid) if webhooks else None
    if webhook is None or not (webhook.active or delivery.event == TEST_EVENT):
        changes: dict[str, object] = {"status": DeliveryStatus.FAILED, "due": None, "updated_at": now}
        with suppress(Conflict):
            ports.catalog.save(workspace, delivery.model_copy(update=changes))
        return
    try:
        ports.catalog.save(workspace, delivery.model_copy(update={"due": now + LEASE * ports.clock.speed}))
    except Conflict:
        return  # A concurrent worker sends it.
    ports.webhook_queue.send(
        OutgoingCall(
            workspace=workspace,
            delivery=uid,
            attempt=delivery.tries + 1,
            url=webhook.url,
            secrets=secrets_of(ports, workspace, webhook, now),
            body=delivery.body,
        )
    )


def call_webhook(ports: Ports, call: OutgoingCall) -> CallResult:
    """Make one attempt and return its result. Reads no stored data, because the calling function has no access."""
    began = ports.clock.real()
    status, fault = ports.webhook_caller.call(call)
    duration = (ports.clock.real() - began) // timedelta(milliseconds=1)
    return CallResult(
        workspace=call.workspace,
        delivery=call.delivery,
        attempt=call.attempt,
        at=began,
        status=status,
        fault=fault,
        milliseconds=max(0, duration),
    )


def record_attempt(ports: Ports, result: CallResult) -> None:
    """Record a result and set when the delivery is tried next, if at all. A repeated result is ignored.

    Raises Conflict if the delivery was changed at the same time; the caller retries.
    """
    workspace, now = result.workspace, ports.clock.now()
    delivery = ports.catalog.find(workspace, WebhookDelivery, result.delivery)
    if delivery is None or delivery.status is not DeliveryStatus.PENDING or result.attempt != delivery.tries + 1:
        return
    attempt = DeliveryAttempt(at=result.at, status=result.status, fault=result.fault, milliseconds=result.milliseconds)
    status, due = _next_status(result, now)
    changes = {
        "status": status,
        "due": due,
        "tries": result.attempt,
        "attempts": (*delivery.attempts, attempt)[-MAX_ATTEMPTS:],
        "updated_at": now,
    }
    ports.catalog.save(workspace, delivery.model_copy(update=changes))
    if result.status == _GONE:
        disable_webhook(ports, workspace, delivery.webhook_uid, "gone")


def _next_status(result: CallResult, now: datetime) -> tuple[DeliveryStatus, datetime | None]:
    if result.status is not None and 200 <= result.status < 300:
        return DeliveryStatus.DELIVERED, None
    due = None if result.status == _GONE else next_attempt_at(result.attempt, now)
    return (DeliveryStatus.PENDING, due) if due else (DeliveryStatus.FAILED, None)
