"""Routes of webhooks out: where the workspace's own systems are told what happened."""

from collections.abc import Mapping

from chalice.app import Blueprint

from chalicelib.api._http import Answer, Call, ListQuery, Nothing, endpoint, many, one, one_shown_once
from chalicelib.api._slices import slice_page
from chalicelib.core.notifications.deliver_webhooks import replay, send_test_event
from chalicelib.core.notifications.manage_webhooks import (
    WebhookChanges,
    WebhookWish,
    create_webhook,
    get_webhook,
    list_webhooks,
    remove_webhook,
    renew_secret,
    secrets_of,
    update_webhook,
)
from chalicelib.model.webhook import Delivery, DeliveryStatus, Webhook
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class DeliveryFilter(ListQuery):
    """Deliveries are kept for 30 days."""

    status: DeliveryStatus | None = None


@endpoint(blueprint, "POST /v1/webhooks", scope=Scope.ADMIN, body=WebhookWish, idempotent=True)
def post_webhook(call: Call[WebhookWish, Nothing]) -> Answer:
    """A new webhook; `secret`, which verifies its signatures (standardwebhooks.com), is shown this once."""
    webhook = create_webhook(call.ports, call.workspace, call.body, call.reserved_uid)
    return _with_secret(call, webhook, "Webhook created: keep its secret, it is not shown again", 201)


@endpoint(blueprint, "GET /v1/webhooks", scope=Scope.ADMIN, query=ListQuery)
def get_webhooks(call: Call[Nothing, ListQuery]) -> Answer:
    """In the order of their last change."""
    shown = [_show(each) for each in list_webhooks(call.ports, call.workspace).entries]
    return many(call, slice_page(shown, call.query.limit, call.cursor), total=len(shown))


@endpoint(blueprint, "PATCH /v1/webhooks/{uid}", scope=Scope.ADMIN, body=WebhookChanges)
def patch_webhook(call: Call[WebhookChanges, Nothing]) -> Answer:
    """Changes what the body names; `active` true brings back one that answered 410."""
    changes = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return one(_show(update_webhook(call.ports, call.workspace, call.uid, changes)), "Webhook changed")


@endpoint(blueprint, "DELETE /v1/webhooks/{uid}", scope=Scope.ADMIN)
def delete_webhook(call: Call[Nothing, Nothing]) -> Answer:
    """What is on its way to it is not sent any more."""
    remove_webhook(call.ports, call.workspace, call.uid)
    return one(None, "Webhook deleted")


@endpoint(blueprint, "POST /v1/webhooks/{uid}/secret", scope=Scope.ADMIN, idempotent=True)
def post_secret(call: Call[Nothing, Nothing]) -> Answer:
    """A new secret, shown this once; for 24 hours every call is signed with the old one, too."""
    webhook = renew_secret(call.ports, call.workspace, call.uid)
    return _with_secret(call, webhook, "Secret renewed: the old one is good for 24 hours", 200)


@endpoint(blueprint, "POST /v1/webhooks/{uid}/test", scope=Scope.ADMIN, idempotent=True)
def post_test_event(call: Call[Nothing, Nothing]) -> Answer:
    """Sends the event `webhook.test`."""
    return one(_show_delivery(send_test_event(call.ports, call.workspace, call.uid)), "Test event is on its way", 202)


@endpoint(blueprint, "GET /v1/webhooks/{uid}/deliveries", scope=Scope.ADMIN, query=DeliveryFilter)
def get_deliveries(call: Call[Nothing, DeliveryFilter]) -> Answer:
    """Newest first, each with its attempts."""
    get_webhook(call.ports, call.workspace, call.uid)
    status = {"status": str(call.query.status)} if call.query.status else {}
    where = {"webhookUid": call.uid, **status}
    page = call.ports.catalog.page(call.workspace, Delivery, where, call.query.limit, call.cursor)
    return many(call, Page(tuple(_show_delivery(each) for each in page.items), page.cursor))


@endpoint(blueprint, "POST /v1/webhooks/{uid}/deliveries/{delivery_uid}/replay", scope=Scope.ADMIN, idempotent=True)
def post_replay(call: Call[Nothing, Nothing]) -> Answer:
    """All attempts anew, under the same `webhook-id`; 409 while it is pending."""
    delivery = replay(call.ports, call.workspace, call.uid, call.path["delivery_uid"])
    return one(_show_delivery(delivery), "Delivery is on its way again", 202)


def _with_secret(
    call: Call[WebhookWish, Nothing] | Call[Nothing, Nothing], of: Webhook, said: str, status: int
) -> Answer:
    secret = secrets_of(call.ports, call.workspace, of, call.ports.clock.now())[0]
    return one_shown_once(_show(of), {"secret": secret}, said, status)


def _show(webhook: Webhook) -> Mapping[str, object]:
    return webhook.model_dump(mode="json", by_alias=True, exclude={"generation"})


def _show_delivery(delivery: Delivery) -> Mapping[str, object]:
    shown = delivery.model_dump(mode="json", by_alias=True, exclude={"rev", "tries", "due"})
    pending = delivery.status is DeliveryStatus.PENDING
    return {**shown, "nextAttemptAt": delivery.model_dump(mode="json")["due"] if pending else None}
