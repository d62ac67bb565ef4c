"""Routes of webhooks out: where the workspace's own systems are told what happened."""

from collections.abc import Mapping

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    endpoint,
    respond,
    respond_page,
    respond_with_secret,
)
from chalicelib.api.http.lists import page_of_list
from chalicelib.core.notifications.deliver_webhooks import replay, send_test_event
from chalicelib.core.notifications.manage_webhooks import (
    CreateWebhookRequest,
    WebhookChanges,
    create_webhook,
    get_webhook,
    list_webhooks,
    remove_webhook,
    renew_secret,
    secrets_of,
    update_webhook,
)
from chalicelib.model.webhook import DeliveryStatus, Webhook, WebhookDelivery
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class DeliveryFilter(ListQuery):
    """Deliveries are kept for 30 days."""

    status: DeliveryStatus | None = None


@endpoint(blueprint, "POST /v1/webhooks", scope=Scope.ADMIN, body=CreateWebhookRequest, idempotent=True)
def post_webhook(call: Call[CreateWebhookRequest, NoBody]) -> ApiResponse:
    """A new webhook; `secret`, which verifies its signatures (standardwebhooks.com), is shown this once."""
    webhook = create_webhook(call.ports, call.workspace, call.body, call.reserved_uid)
    return _with_secret(call, webhook, "Webhook created: keep its secret, it is not shown again", 201)


@endpoint(blueprint, "GET /v1/webhooks", scope=Scope.ADMIN, query=ListQuery)
def get_webhooks(call: Call[NoBody, ListQuery]) -> ApiResponse:
    """In the order of their last change."""
    shown = [_show(each) for each in list_webhooks(call.ports, call.workspace).entries]
    return respond_page(call, page_of_list(shown, call.query.limit, call.cursor), total=len(shown))


@endpoint(blueprint, "PATCH /v1/webhooks/{uid}", scope=Scope.ADMIN, body=WebhookChanges)
def patch_webhook(call: Call[WebhookChanges, NoBody]) -> ApiResponse:
    """Changes what the body names; `active` true brings back one that answered 410."""
    changes = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return respond(_show(update_webhook(call.ports, call.workspace, call.uid, changes)), "Webhook changed")


@endpoint(blueprint, "DELETE /v1/webhooks/{uid}", scope=Scope.ADMIN)
def delete_webhook(call: Call[NoBody, NoBody]) -> ApiResponse:
    """What is on its way to it is not sent any more."""
    remove_webhook(call.ports, call.workspace, call.uid)
    return respond(None, "Webhook deleted")


@endpoint(blueprint, "POST /v1/webhooks/{uid}/secret", scope=Scope.ADMIN, idempotent=True)
def post_secret(call: Call[NoBody, NoBody]) -> ApiResponse:
    """A new secret, shown this once; for 24 hours every call is signed with the old one, too."""
    webhook = renew_secret(call.ports, call.workspace, call.uid)
    return _with_secret(call, webhook, "Secret renewed: the old one is good for 24 hours", 200)


@endpoint(blueprint, "POST /v1/webhooks/{uid}/test", scope=Scope.ADMIN, idempotent=True)
def post_test_event(call: Call[NoBody, NoBody]) -> ApiResponse:
    """Sends the event `webhook.test`."""
    return respond(
        _show_delivery(send_test_event(call.ports, call.workspace, call.uid)), "Test event is on its way", 202
    )


@endpoint(blueprint, "GET /v1/webhooks/{uid}/deliveries", scope=Scope.ADMIN, query=DeliveryFilter)
def get_deliveries(call: Call[NoBody, DeliveryFilter]) -> ApiResponse:
    """Newest first, each with its attempts."""
    get_webhook(call.ports, call.workspace, call.uid)
    status = {"status": str(call.query.status)} if call.query.status else {}
    where = {"webhookUid": call.uid, **status}
    page = call.ports.catalog.page(call.workspace, WebhookDelivery, where, call.query.limit, call.cursor)
    return respond_page(call, Page(tuple(_show_delivery(each) for each in page.items), page.cursor))


@endpoint(blueprint, "POST /v1/webhooks/{uid}/deliveries/{delivery_uid}/replay", scope=Scope.ADMIN, idempotent=True)
def post_replay(call: Call[NoBody, NoBody]) -> ApiResponse:
    """All attempts anew, under the same `webhook-id`; 409 while it is pending."""
    delivery = replay(call.ports, call.workspace, call.uid, call.path["delivery_uid"])
    return respond(_show_delivery(delivery), "Delivery is on its way again", 202)


def _with_secret(
    call: Call[CreateWebhookRequest, NoBody] | Call[NoBody, NoBody], of: Webhook, said: str, status: int
) -> ApiResponse:
    secret = secrets_of(call.ports, call.workspace, of, call.ports.clock.now())[0]
    return respond_with_secret(_show(of), {"secret": secret}, said, status)


def _show(webhook: Webhook) -> Mapping[str, object]:
    return webhook.model_dump(mode="json", by_alias=True, exclude={"generation"})


def _show_delivery(delivery: WebhookDelivery) -> Mapping[str, object]:
    shown = delivery.model_dump(mode="json", by_alias=True, exclude={"rev", "tries", "due"})
    pending = delivery.status is DeliveryStatus.PENDING
    return {**shown, "nextAttemptAt": delivery.model_dump(mode="json")["due"] if pending else None}
