"""Local implementation of Twilio's Messages resource."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, parse_qsl, urlsplit

from infra.local.providers.credentials import TWILIO
from infra.local.providers.inbox import (
    LOST_RESPONSE,
    AcceptedMessage,
    ProviderInbox,
    ProviderRequest,
    ProviderResponse,
    new_id,
)
from infra.local.providers.scripted_outcomes import ScriptedOutcome, read_phone

PATH = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})/Messages\.json")
_REFUSALS = {
    ScriptedOutcome.SUPPRESSED: (21610, 400, "Attempt to send to unsubscribed recipient"),
    ScriptedOutcome.CLOSED: (20005, 403, "Account not active"),
    ScriptedOutcome.BROKEN: (20500, 500, "Internal server error"),
}


def answer(inbox: ProviderInbox, http_request: ProviderRequest) -> ProviderResponse:
    """Answer `POST …/Messages.json` of any account that sends the local token."""
    found = PATH.fullmatch(http_request.path)
    if found is None:
        return _refuse(20404, 404, "The requested resource was not found")
    login = base64.b64encode(f"{found[1]}:{TWILIO['authToken']}".encode()).decode()
    if http_request.headers.get("authorization") != f"Basic {login}":
        return _refuse(20003, 401, "Authenticate")
    form = dict(parse_qsl(http_request.body.decode(errors="replace")))
    if fault := _find_fault(form):
        return _refuse(*fault)
    outcome, callback = read_phone(form["To"]), form.get("StatusCallback", "")
    uid = parse_qs(urlsplit(callback).query).get("message", [""])[0]
    key = f"twilio {uid or form['To']}"
    if inbox.should_throttle(outcome, key):
        return _refuse(20429, 429, "Too many requests", {"Retry-After": "1"})
    if outcome in _REFUSALS:
        return _refuse(*_REFUSALS[outcome])
    sender = form.get("From") or form["MessagingServiceSid"]
    details = {"sender": sender, "account": found[1], "reports": bool(callback)}
    sid = new_id("SM")
    inbox.accept(AcceptedMessage("sms", "twilio", form["To"], form["Body"], outcome, sid, uid, callback, details))
    if inbox.should_lose_response(outcome, key):
        return LOST_RESPONSE
    return ProviderResponse(201, {"sid": sid, "status": "queued", "to": form["To"], "from": sender, "error_code": None})


def _find_fault(form: dict[str, str]) -> tuple[int, int, str] | None:
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", form.get("To", "")):
        return 21211, 400, "The 'To' number is not a valid phone number"
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603, 400, "A 'From' phone number is required"
    if not form.get("Body"):
        return 21602, 400, "Message body is required"
    return (21617, 400, "The message body exceeds 1600 characters") if len(form["Body"]) > 1600 else None


def _refuse(code: int, status: int, message: str, headers: dict[str, str] | None = None) -> ProviderResponse:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return ProviderResponse(
        status, {"code": code, "message": message, "more_info": more, "status": status}, headers or {}
    )
