"""Local receiver of signed webhooks. It checks the signature and ignores repeated messages."""

from __future__ import annotations

import json

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from infra.local.providers.credentials import WEBHOOK
from infra.local.providers.inbox import LOST_RESPONSE, AcceptedMessage, ProviderInbox, ProviderRequest, ProviderResponse
from infra.local.providers.scripted_outcomes import ScriptedOutcome, read_word

PATH = "/webhook"


def answer(inbox: ProviderInbox, http_request: ProviderRequest) -> ProviderResponse:
    """Answer `POST /webhook?fate=…` with 204. A repeated message is accepted but not stored again."""
    try:
        message = Webhook(WEBHOOK).verify(http_request.body, dict(http_request.headers))
    except (WebhookVerificationError, ValueError):
        return ProviderResponse(401, {"message": "The signature is not good"})
    uid, outcome = http_request.headers["webhook-id"], read_word(http_request.query.get("fate", ""))
    if inbox.should_throttle(outcome, f"webhook {uid}"):
        return ProviderResponse(429, {"message": "Too fast"}, {"Retry-After": "1"})
    if outcome is ScriptedOutcome.BROKEN:
        return ProviderResponse(500, {"message": "Broken"})
    if outcome is ScriptedOutcome.CLOSED:
        return ProviderResponse(410, {"message": "Gone"})
    if uid not in inbox.message_ids:
        to = str(message.get("data", {}).get("contactUid", ""))
        text = json.dumps(message, ensure_ascii=False)
        inbox.accept(AcceptedMessage("webhook", "local", to, text, outcome, uid, uid))
    return LOST_RESPONSE if inbox.should_lose_response(outcome, f"webhook {uid}") else ProviderResponse(204)
