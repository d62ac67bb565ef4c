"""Routes of outgoing webhooks."""

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    NoData,
    ResponseForm,
    endpoint,
    respond,
    respond_done,
    respond_page,
    respond_with_secret,
)
from chalicelib.api.http.lists import page_of_list
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.webhooks import DeliveryResponse, WebhookCreatedResponse, WebhookResponse
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
    """Filters of the delivery list."""

    status: DeliveryStatus | None = None
    """Only deliveries with this status; deliveries are kept for 30 days."""


@endpoint(
    blueprint,
    "POST /v1/webhooks",
    response=WebhookCreatedResponse,
    status=201,
    scope=Scope.ADMIN,
    body=CreateWebhookRequest,
    idempotent=True,
)
def post_webhook(call: Call[CreateWebhookRequest, NoBody]) -> ApiResponse[WebhookCreatedResponse]:
    """Create a webhook. `secret` verifies its signatures (standardwebhooks.com) and is shown only once."""
    webhook = create_webhook(call.ports, call.workspace, call.body, call.reserved_uid)
    return _with_secret(call, webhook, "Webhook created: keep its secret, it is not shown again", 201)


@endpoint(
    blueprint, "GET /v1/webhooks", response=WebhookResponse, form=ResponseForm.PAGE, scope=Scope.ADMIN, query=ListQuery
)
def get_webhooks(call: Call[NoBody, ListQuery]) -> ApiResponse[WebhookResponse]:
    """List webhooks in the order of their last change."""
    shown = [build_response(WebhookResponse, each) for each in list_webhooks(call.ports, call.workspace).entries]
    return respond_page(call, page_of_list(shown, call.query.limit, call.cursor), total=len(shown))


@endpoint(blueprint, "PATCH /v1/webhooks/{uid}", response=WebhookResponse, scope=Scope.ADMIN, body=WebhookChanges)
def patch_webhook(call: Call[WebhookChanges, NoBody]) -> ApiResponse[WebhookResponse]:
    """Change the fields in the body. `active: true` enables a webhook that was disabled by a 410."""
    changes = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return respond(
        build_response(WebhookResponse, update_webhook(call.ports, call.workspace, call.uid, changes)),
        "Webhook changed",
    )


@endpoint(blueprint, "DELETE /v1/webhooks/{uid}", response=NoData, scope=Scope.ADMIN)
def delete_webhook(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Delete a webhook. Pending deliveries are not sent any more."""
    remove_webhook(call.ports, call.workspace, call.uid)
    return respond_done("Webhook deleted")


@endpoint(
    blueprint, "POST /v1/webhooks/{uid}/secret", response=WebhookCreatedResponse, scope=Scope.ADMIN, idempotent=True
)
def post_secret(call: Call[NoBody, NoBody]) -> ApiResponse[WebhookCreatedResponse]:
    """Renew the secret, which is shown only once. For 24 hours calls are also signed with the old one."""
    webhook = renew_secret(call.ports, call.workspace, call.uid)
    return _with_secret(call, webhook, "Secret renewed: the old one is good for 24 hours", 200)


@endpoint(
    blueprint, "POST /v1/webhooks/{uid}/test", response=DeliveryResponse, status=202, scope=Scope.ADMIN, idempotent=True
)
def post_test_event(call: Call[NoBody, NoBody]) -> ApiResponse[DeliveryResponse]:
    """Send the event `webhook.test`."""
    return respond(_delivery(send_test_event(call.ports, call.workspace, call.uid)), "Test event is on its way", 202)


@endpoint(
    blueprint,
    "GET /v1/webhooks/{uid}/deliveries",
    response=DeliveryResponse,
    form=ResponseForm.PAGE,
    scope=Scope.ADMIN,
    query=DeliveryFilter,
)
def get_deliveries(call: Call[NoBody, DeliveryFilter]) -> ApiResponse[DeliveryResponse]:
    """List deliveries with their attempts, newest first."""
    get_webhook(call.ports, call.workspace, call.uid)
    status = {"status": str(call.query.status)} if call.query.status else {}
    where = {"webhookUid": call.uid, **status}
    page = call.ports.catalog.page(call.workspace, WebhookDelivery, where, call.query.limit, call.cursor)
    return respond_page(call, Page(tuple(_delivery(each) for each in page.items), page.cursor))


@endpoint(
    blueprint,
    "POST /v1/webhooks/{uid}/deliveries/{delivery_uid}/replay",
    response=DeliveryResponse,
    status=202,
    scope=Scope.ADMIN,
    idempotent=True,
)
def post_replay(call: Call[NoBody, NoBody]) -> ApiResponse[DeliveryResponse]:
    """Repeat a delivery with the same `webhook-id`. 409 while it is pending."""
    delivery = replay(call.ports, call.workspace, call.uid, call.path["delivery_uid"])
    return respond(_delivery(delivery), "Delivery is on its way again", 202)


def _with_secret(
    call: Call[CreateWebhookRequest, NoBody] | Call[NoBody, NoBody], webhook: Webhook, message: str, status: int
) -> ApiResponse[WebhookCreatedResponse]:
    secret = secrets_of(call.ports, call.workspace, webhook, call.ports.clock.now())[0]
    return respond_with_secret(
        build_response(WebhookCreatedResponse, webhook, secret=secret), "secret", message, status
    )


def _delivery(delivery: WebhookDelivery) -> DeliveryResponse:
    pending = delivery.status is DeliveryStatus.PENDING
    return build_response(DeliveryResponse, delivery, next_attempt_at=delivery.due if pending else None)
