"""Tells webhooks what happened: makes deliveries, sends those that are due, and notes what became of each call."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby

from chalicelib.core.notifications.manage_webhooks import disable_webhook, get_webhook, secrets_of
from chalicelib.core.notifications.webhook_events import News, contact_events, next_attempt_at, write_body
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

#: A call whose result has not come by then is made again: longer than its queue and its ten seconds take.
LEASE = timedelta(minutes=3)
#: What was not handed on at once is looked for a little later, so that it is not sent twice.
PATIENCE = timedelta(seconds=30)
_GONE = 410


def enqueue_webhooks(ports: Ports, workspace: WorkspaceUid, events: Sequence[Event]) -> None:
    """One delivery for each event and webhook that wants it, however often the event is told."""
    webhooks = ports.catalog.find(workspace, Webhooks, WEBHOOKS) if events else None
    made = []
    for event in events:
        for webhook in webhooks.entries if webhooks else ():
            if webhook.wants(event.name):
                uid = uid_at(event.occurred_at, webhook.uid, event.id)
                delivery = _build(ports, webhook, contact_events(event), uid)
                with suppress(Conflict):
                    ports.catalog.add(workspace, delivery)
                made.append(delivery.uid)
    _ask(ports, workspace, made)


def send_test_event(ports: Ports, workspace: WorkspaceUid, uid: str) -> WebhookDelivery:
    """An event by which a receiver can be tried out, also while the webhook is switched off."""
    webhook = get_webhook(ports, workspace, uid)
    delivery = _build(ports, webhook, (TEST_EVENT, {"webhookUid": uid}), new_uid())
    ports.catalog.add(workspace, delivery)
    _ask(ports, workspace, [delivery.uid])
    return delivery


def replay(ports: Ports, workspace: WorkspaceUid, webhook_uid: str, uid: str) -> WebhookDelivery:
    """All attempts anew, under the same id; Conflict while the delivery is pending."""
    delivery = ports.catalog.get(workspace, WebhookDelivery, uid)
    if delivery.webhook_uid != webhook_uid:
        raise NotFound("WebhookDelivery", uid)
    if delivery.status is DeliveryStatus.PENDING:
        raise Conflict("The delivery is still pending", delivery.status, ("delivered", "failed"))
    now = ports.clock.now()
    changes = {"status": DeliveryStatus.PENDING, "tries": 0, "due": now, "updated_at": now}
    saved = ports.catalog.save(workspace, delivery.model_copy(update=changes))
    _ask(ports, workspace, [uid])
    return saved


def _build(ports: Ports, webhook: Webhook, news: News, uid: str) -> WebhookDelivery:
    now = ports.clock.now()
    return WebhookDelivery(
        uid=uid,
        created_at=now,
        updated_at=now,
        webhook_uid=webhook.uid,
        event=news[0],
        body=write_body(news, now),
        due=now,
    )


def _ask(ports: Ports, workspace: WorkspaceUid, uids: Sequence[str]) -> None:
    """What cannot be handed on now is found by `requeue_overdue`."""
    if uids:
        with suppress(RetryLater):
            ports.webhook_scheduler.schedule(workspace, uids)


def requeue_overdue(ports: Ports) -> int:
    """Retries whose time has come, and what was lost on its way; the clock does so every minute. Returns how many."""
    before = ports.clock.now() - PATIENCE * ports.clock.speed
    due = [(workspace, uid) for workspace, uid, _ in ports.schedule.list_due(WebhookDelivery, before)]
    for workspace, entries in groupby(sorted(due), key=lambda entry: entry[0]):
        ports.webhook_scheduler.schedule(workspace, [uid for _, uid in entries])
    return len(due)


def send_due(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Hands a delivery to who calls, with all that it needs; harmless when it is not due."""
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
        return  # Somebody else has it.
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
    """One attempt; needs nothing but the call itself."""
    began = ports.clock.real()
    status, fault = ports.webhook_caller.call(call)
    taken = (ports.clock.real() - began) // timedelta(milliseconds=1)
    return CallResult(
        workspace=call.workspace,
        delivery=call.delivery,
        attempt=call.attempt,
        at=began,
        status=status,
        fault=fault,
        milliseconds=max(0, taken),
    )


def record_attempt(ports: Ports, result: CallResult) -> None:
    """The delivery is done, comes again, or has failed; one that is known already is dropped. Conflict: come again."""
    workspace, now = result.workspace, ports.clock.now()
    delivery = ports.catalog.find(workspace, WebhookDelivery, result.delivery)
    is_news = delivery is not None and delivery.status is DeliveryStatus.PENDING
    if delivery is None or not is_news or result.attempt != delivery.tries + 1:
        return
    attempt = DeliveryAttempt(at=result.at, status=result.status, fault=result.fault, milliseconds=result.milliseconds)
    status, due = _judge(result, now)
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


def _judge(result: CallResult, now: datetime) -> tuple[DeliveryStatus, datetime | None]:
    if result.status is not None and 200 <= result.status < 300:
        return DeliveryStatus.DELIVERED, None
    due = None if result.status == _GONE else next_attempt_at(result.attempt, now)
    return (DeliveryStatus.PENDING, due) if due else (DeliveryStatus.FAILED, None)
