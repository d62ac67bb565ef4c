"""Local `Publish` of Amazon SNS to mobile endpoints. Endpoint ARNs of the embedded SNS differ from those of AWS.

Any endpoint ARN in the form of AWS is accepted, such as
`arn:aws:sns:eu-west-1:000000000000:endpoint/GCM/shop/device-0199`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from infra.local.providers.inbox import (
    LOST_RESPONSE,
    AcceptedMessage,
    ProviderInbox,
    ProviderRequest,
    ProviderResponse,
    new_id,
)
from infra.local.providers.scripted_outcomes import ScriptedOutcome, read_phone

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_REFUSALS = {
    ScriptedOutcome.SUPPRESSED: ("EndpointDisabled", 400),
    ScriptedOutcome.CLOSED: ("PlatformApplicationDisabled", 400),
    ScriptedOutcome.BROKEN: ("InternalError", 500),
}


def answer(inbox: ProviderInbox, http_request: ProviderRequest) -> ProviderResponse:
    """Answer Publish to an endpoint."""
    form = dict(parse_qsl(http_request.body.decode(errors="replace")))
    target = form.get("TargetArn", "")
    if form.get("Action") != "Publish" or ":endpoint/" not in target:
        return _refuse("InvalidParameter", 400)
    try:
        payloads = json.loads(form["Message"])
        apple: Any = json.loads(payloads["APNS"])
    except (ValueError, KeyError, TypeError):
        return _refuse("InvalidParameter", 400)
    outcome, uid = read_phone(target), str(apple.get("message", ""))
    if inbox.should_throttle(outcome, f"push {target} {uid}"):
        return _refuse("Throttled", 429)
    if outcome in _REFUSALS:
        return _refuse(*_REFUSALS[outcome])
    details = {"alert": apple["aps"]["alert"], "reports": outcome is ScriptedOutcome.BOUNCE}
    accepted = AcceptedMessage("push", "sns", target, str(payloads["default"]), outcome, new_id(), uid, details=details)
    inbox.accept(accepted)
    return (
        LOST_RESPONSE if inbox.should_lose_response(outcome, f"push {target} {uid}") else _accept(accepted.provider_id)
    )


def _accept(message_id: str) -> ProviderResponse:
    result = f"<PublishResult><MessageId>{message_id}</MessageId></PublishResult>"
    return _respond(200, f"<PublishResponse xmlns='{NAMESPACE}'>{result}</PublishResponse>")


def _refuse(code: str, status: int) -> ProviderResponse:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>Local: {code}</Message></Error>"
    return _respond(status, f"<ErrorResponse xmlns='{NAMESPACE}'>{error}</ErrorResponse>")


def _respond(status: int, text: str) -> ProviderResponse:
    return ProviderResponse(status, text, {"Content-Type": "text/xml"})
