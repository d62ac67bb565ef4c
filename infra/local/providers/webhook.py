"""A receiver of signed webhooks on this machine: it checks the signature, and drops what it has seen."""

from __future__ import annotations

import json

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from infra.local.providers.credentials import WEBHOOK
from infra.local.providers.desk import LOST, Asked, Desk, Taken, Told
from infra.local.providers.fates import Fate, read_word

PATH = "/webhook"


def answer(desk: Desk, asked: Asked) -> Told:
    """`POST /webhook?fate=…`: 204, also for what came before, of which the outbox keeps one."""
    try:
        message = Webhook(WEBHOOK).verify(asked.body, dict(asked.headers))
    except (WebhookVerificationError, ValueError):
        return Told(401, {"message": "The signature is not good"})
    uid, fate = asked.headers["webhook-id"], read_word(asked.query.get("fate", ""))
    if desk.is_throttled(fate, f"webhook {uid}"):
        return Told(429, {"message": "Too fast"}, {"Retry-After": "1"})
    if fate is Fate.BROKEN:
        return Told(500, {"message": "Broken"})
    if fate is Fate.CLOSED:
        return Told(410, {"message": "Gone"})
    if uid not in desk.taken:
        to = str(message.get("data", {}).get("contactUid", ""))
        text = json.dumps(message, ensure_ascii=False)
        desk.take(Taken("webhook", "local", to, text, fate, uid, uid))
    return LOST if desk.loses_answer(fate, f"webhook {uid}") else Told(204)
