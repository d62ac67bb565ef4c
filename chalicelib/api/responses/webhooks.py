"""Response models of webhooks and their deliveries."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.webhook import DeliveryAttempt, DeliveryStatus


class WebhookResponse(StrictModel):
    """A webhook; `disabledReason` says why it was switched off, where nobody asked for it."""

    uid: str
    """Identifier of the webhook."""
    url: str
    """HTTPS address that receives the events."""
    events: tuple[str, ...]
    """Events or groups that are delivered, for example `flow.completed` or `flow.*`."""
    description: str
    """Free text for operators."""
    active: bool
    """Whether events are delivered."""
    disabled_reason: str | None
    """Why Carillon disabled the webhook; null if it did not."""
    previous_until: Moment | None
    """Until this time, requests are also signed with the previous secret; null without one."""
    created_at: Moment
    """Time at which the webhook was created."""
    updated_at: Moment
    """Time of the last change of the webhook."""


class WebhookCreatedResponse(WebhookResponse):
    """`secret` is shown once; the repetition of the call by its Idempotency-Key shows null."""

    secret: str | None
    """Signing secret, shown once; null in a replay of the call with its Idempotency-Key."""


class DeliveryResponse(StrictModel):
    """One event on its way to one webhook; `uid` is the `webhook-id`, `body` the text that is signed."""

    uid: str
    """Identifier of the delivery, sent as the header `webhook-id`."""
    created_at: Moment
    """Time at which the event was stored for delivery."""
    updated_at: Moment
    """Time of the last attempt or change."""
    webhook_uid: str
    """Webhook that receives the event."""
    event: str
    """Name of the event, for example `flow.completed`."""
    body: str
    """JSON text that is signed and sent."""
    status: DeliveryStatus
    """Whether the delivery is pending, delivered or has failed."""
    attempts: tuple[DeliveryAttempt, ...]
    """Most recent attempts, newest last."""
    next_attempt_at: Moment | None
    """Time of the next attempt; null if there is none."""
