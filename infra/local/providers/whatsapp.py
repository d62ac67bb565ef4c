"""Local WhatsApp, through AWS End User Messaging Social (REST JSON) and Meta's Cloud API."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from infra.local.providers.credentials import META
from infra.local.providers.inbox import (
    LOST_RESPONSE,
    AcceptedMessage,
    ProviderInbox,
    ProviderRequest,
    ProviderResponse,
    new_id,
)
from infra.local.providers.messaging import check
from infra.local.providers.scripted_outcomes import ScriptedOutcome, read_phone

SOCIAL_PATH = "/v1/whatsapp/send"
META_PATH = re.compile(r"/v\d+\.\d/(\d+)/messages")
#: Immediate refusals of Meta: code, HTTP status, message.
_META_REFUSALS = {
    ScriptedOutcome.SUPPRESSED: (131050, 400, "User has stopped marketing messages from your business"),
    ScriptedOutcome.CLOSED: (131031, 403, "Business account is locked"),
    ScriptedOutcome.BROKEN: (131000, 500, "Something went wrong"),
}
_SOCIAL_REFUSALS = {
    ScriptedOutcome.CLOSED: ("AccessDeniedException", 403),
    ScriptedOutcome.BROKEN: ("InternalServiceException", 500),
}


def answer_social(inbox: ProviderInbox, http_request: ProviderRequest) -> ProviderResponse:
    """Answer SendWhatsAppMessage. AWS does not know of an opt-out yet, so an event reports it later."""
    try:
        request = json.loads(http_request.body)
        message = json.loads(base64.b64decode(request["message"], validate=True))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return _refuse_social("ValidationException", 400)
    if check("socialmessaging", "SendWhatsAppMessage", {**request, "message": b"x"}) or find_fault(message):
        return _refuse_social("InvalidParametersException", 400)
    outcome, uid = read_phone(message["to"]), str(message.get("biz_opaque_callback_data", ""))
    if inbox.should_throttle(outcome, f"social {uid}"):
        return _refuse_social("ThrottledRequestException", 429)
    if outcome in _SOCIAL_REFUSALS:
        return _refuse_social(*_SOCIAL_REFUSALS[outcome])
    accepted = _build_message("aws", message, new_id(), {"sender": request["originationPhoneNumberId"]})
    inbox.accept(accepted)
    return (
        LOST_RESPONSE
        if inbox.should_lose_response(outcome, f"social {uid}")
        else ProviderResponse(200, {"messageId": accepted.provider_id})
    )


def _refuse_social(code: str, status: int) -> ProviderResponse:
    return ProviderResponse(status, {"message": code}, {"x-amzn-errortype": code})


def answer_meta(inbox: ProviderInbox, hooks: Mapping[str, str], http_request: ProviderRequest) -> ProviderResponse:
    """Answer `POST /v23.0/{phone number id}/messages`; `hooks` maps phone number ids to webhook URLs."""
    found = META_PATH.fullmatch(http_request.path)
    if found is None:
        return _refuse_meta(100, 404, "Unsupported post request")
    if http_request.headers.get("authorization") != f"Bearer {META['accessToken']}":
        return _refuse_meta(190, 401, "Invalid OAuth access token")
    try:
        message = json.loads(http_request.body)
    except ValueError:
        return _refuse_meta(100, 400, "Invalid parameter")
    if fault := find_fault(message):
        return _refuse_meta(131009, 400, fault)
    outcome, uid = read_phone(message["to"]), str(message.get("biz_opaque_callback_data", ""))
    if inbox.should_throttle(outcome, f"meta {uid}"):
        return _refuse_meta(130429, 400, "Rate limit hit")
    if outcome in _META_REFUSALS:
        return _refuse_meta(*_META_REFUSALS[outcome])
    accepted = _build_message("meta", message, new_id("wamid."), {"sender": found[1]}, hooks.get(found[1], ""))
    inbox.accept(accepted)
    contacts = [{"input": message["to"], "wa_id": message["to"].removeprefix("+")}]
    response = {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": accepted.provider_id}]}
    return LOST_RESPONSE if inbox.should_lose_response(outcome, f"meta {uid}") else ProviderResponse(200, response)


def _refuse_meta(code: int, status: int, message: str) -> ProviderResponse:
    details = {"messaging_product": "whatsapp", "details": message}
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "error_data": details}
    return ProviderResponse(status, {"error": {**error, "fbtrace_id": new_id()}})


def find_fault(message: Any) -> str:
    """Return Meta's reason to reject a message object; empty if it is valid."""
    if not isinstance(message, dict) or message.get("messaging_product") != "whatsapp":
        return "messaging_product must be whatsapp"
    if not re.fullmatch(r"\+?[1-9][0-9]{6,14}", str(message.get("to", ""))):
        return "to must be a phone number"
    kind = message.get("type")
    if kind == "text" and message.get("text", {}).get("body"):
        return ""
    template = message.get("template", {})
    if kind == "template" and template.get("name") and template.get("language", {}).get("code"):
        return ""
    return "type must be text or template, with its object"


def _build_message(
    provider: str, message: Mapping[str, Any], provider_id: str, details: Mapping[str, Any], callback_url: str = ""
) -> AcceptedMessage:
    is_text = message["type"] == "text"
    text = message["text"]["body"] if is_text else json.dumps(message["template"], ensure_ascii=False)
    return AcceptedMessage(
        channel="whatsapp",
        provider=provider,
        to=f"+{message['to'].removeprefix('+')}",
        text=text,
        outcome=read_phone(message["to"]),
        provider_id=provider_id,
        message_uid=str(message.get("biz_opaque_callback_data", "")),
        callback_url=callback_url,
        details={**details, "reports": provider == "aws" or bool(callback_url)},
    )
