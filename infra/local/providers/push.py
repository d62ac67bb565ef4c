"""Amazon SNS's `Publish` to mobile endpoints on this machine; the embedded SNS gives its endpoints ARNs unlike AWS's.

Any endpoint of AWS's form will do, such as `arn:aws:sns:eu-west-1:000000000000:endpoint/GCM/shop/device-0199`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from infra.local.providers.desk import LOST, Asked, Desk, Taken, Told, new_id
from infra.local.providers.fates import Fate, read_phone

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_REFUSALS = {
    Fate.SUPPRESSED: ("EndpointDisabled", 400),
    Fate.CLOSED: ("PlatformApplicationDisabled", 400),
    Fate.BROKEN: ("InternalError", 500),
}


def answer(desk: Desk, asked: Asked) -> Told:
    """Publish to an endpoint."""
    form = dict(parse_qsl(asked.body.decode(errors="replace")))
    target = form.get("TargetArn", "")
    if form.get("Action") != "Publish" or ":endpoint/" not in target:
        return _refuse("InvalidParameter", 400)
    try:
        payloads = json.loads(form["Message"])
        apple: Any = json.loads(payloads["APNS"])
    except (ValueError, KeyError, TypeError):
        return _refuse("InvalidParameter", 400)
    fate, uid = read_phone(target), str(apple.get("message", ""))
    if desk.is_throttled(fate, f"push {target} {uid}"):
        return _refuse("Throttled", 429)
    if fate in _REFUSALS:
        return _refuse(*_REFUSALS[fate])
    details = {"alert": apple["aps"]["alert"], "reports": fate is Fate.BOUNCE}
    taken = Taken("push", "sns", target, str(payloads["default"]), fate, new_id(), uid, details=details)
    desk.take(taken)
    return LOST if desk.loses_answer(fate, f"push {target} {uid}") else _accept(taken.provider_id)


def _accept(message_id: str) -> Told:
    result = f"<PublishResult><MessageId>{message_id}</MessageId></PublishResult>"
    return _tell(200, f"<PublishResponse xmlns='{NAMESPACE}'>{result}</PublishResponse>")


def _refuse(code: str, status: int) -> Told:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>Local: {code}</Message></Error>"
    return _tell(status, f"<ErrorResponse xmlns='{NAMESPACE}'>{error}</ErrorResponse>")


def _tell(status: int, text: str) -> Told:
    return Told(status, text, {"Content-Type": "text/xml"})
