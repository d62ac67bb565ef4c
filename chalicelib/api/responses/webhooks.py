"""Response models of webhooks and their deliveries."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.webhook import DeliveryAttempt, DeliveryStatus


class WebhookResponse(StrictModel):
    """A webhook; `disabledReason` says why it was switched off, where nobody asked for it."""

    uid: str
    url: str
    events: tuple[str, ...]
    description: str
    active: bool
    disabled_reason: str | None
    previous_until: Moment | None
    created_at: Moment
    updated_at: Moment


class WebhookCreatedResponse(WebhookResponse):
    """`secret` is shown once; the repetition of the call by its Idempotency-Key shows null."""

    secret: str | None


class DeliveryResponse(StrictModel):
    """One event on its way to one webhook; `uid` is the `webhook-id`, `body` the text that is signed."""

    uid: str
    created_at: Moment
    updated_at: Moment
    webhook_uid: str
    event: str
    body: str
    status: DeliveryStatus
    attempts: tuple[DeliveryAttempt, ...]
    next_attempt_at: Moment | None
