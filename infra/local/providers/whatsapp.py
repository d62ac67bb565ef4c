"""WhatsApp on this machine, by AWS End User Messaging Social (REST JSON) and by Meta's Cloud API."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from infra.local.providers.credentials import META
from infra.local.providers.desk import LOST, Asked, Desk, Taken, Told, new_id
from infra.local.providers.fates import Fate, read_phone
from infra.local.providers.messaging import check

SOCIAL_PATH = "/v1/whatsapp/send"
META_PATH = re.compile(r"/v\d+\.\d/(\d+)/messages")
#: Meta's codes for what goes wrong at once: code, HTTP status, message.
_META_REFUSALS = {
    Fate.SUPPRESSED: (131050, 400, "User has stopped marketing messages from your business"),
    Fate.CLOSED: (131031, 403, "Business account is locked"),
    Fate.BROKEN: (131000, 500, "Something went wrong"),
}
_SOCIAL_REFUSALS = {
    Fate.CLOSED: ("AccessDeniedException", 403),
    Fate.BROKEN: ("InternalServiceException", 500),
}


def answer_social(desk: Desk, asked: Asked) -> Told:
    """SendWhatsAppMessage; an opt-out is told by an event, as AWS does not know of it when it answers."""
    try:
        request = json.loads(asked.body)
        message = json.loads(base64.b64decode(request["message"], validate=True))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return _refuse_social("ValidationException", 400)
    if check("socialmessaging", "SendWhatsAppMessage", {**request, "message": b"x"}) or find_fault(message):
        return _refuse_social("InvalidParametersException", 400)
    fate, uid = read_phone(message["to"]), str(message.get("biz_opaque_callback_data", ""))
    if desk.is_throttled(fate, f"social {uid}"):
        return _refuse_social("ThrottledRequestException", 429)
    if fate in _SOCIAL_REFUSALS:
        return _refuse_social(*_SOCIAL_REFUSALS[fate])
    taken = _build_taken("aws", message, new_id(), {"sender": request["originationPhoneNumberId"]})
    desk.take(taken)
    return LOST if desk.loses_answer(fate, f"social {uid}") else Told(200, {"messageId": taken.provider_id})


def _refuse_social(code: str, status: int) -> Told:
    return Told(status, {"message": code}, {"x-amzn-errortype": code})


def answer_meta(desk: Desk, hooks: Mapping[str, str], asked: Asked) -> Told:
    """`POST /v23.0/{phone number id}/messages`; `hooks`: phone number id → where its webhooks go."""
    found = META_PATH.fullmatch(asked.path)
    if found is None:
        return _refuse_meta(100, 404, "Unsupported post request")
    if asked.headers.get("authorization") != f"Bearer {META['accessToken']}":
        return _refuse_meta(190, 401, "Invalid OAuth access token")
    try:
        message = json.loads(asked.body)
    except ValueError:
        return _refuse_meta(100, 400, "Invalid parameter")
    if fault := find_fault(message):
        return _refuse_meta(131009, 400, fault)
    fate, uid = read_phone(message["to"]), str(message.get("biz_opaque_callback_data", ""))
    if desk.is_throttled(fate, f"meta {uid}"):
        return _refuse_meta(130429, 400, "Rate limit hit")
    if fate in _META_REFUSALS:
        return _refuse_meta(*_META_REFUSALS[fate])
    taken = _build_taken("meta", message, new_id("wamid."), {"sender": found[1]}, hooks.get(found[1], ""))
    desk.take(taken)
    contacts = [{"input": message["to"], "wa_id": message["to"].removeprefix("+")}]
    told = {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": taken.provider_id}]}
    return LOST if desk.loses_answer(fate, f"meta {uid}") else Told(200, told)


def _refuse_meta(code: int, status: int, message: str) -> Told:
    details = {"messaging_product": "whatsapp", "details": message}
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "error_data": details}
    return Told(status, {"error": {**error, "fbtrace_id": new_id()}})


def find_fault(message: Any) -> str:
    """What Meta would have against a message object, empty when it is good."""
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


def _build_taken(
    provider: str, message: Mapping[str, Any], provider_id: str, details: Mapping[str, Any], callback_url: str = ""
) -> Taken:
    is_text = message["type"] == "text"
    text = message["text"]["body"] if is_text else json.dumps(message["template"], ensure_ascii=False)
    return Taken(
        channel="whatsapp",
        provider=provider,
        to=f"+{message['to'].removeprefix('+')}",
        text=text,
        fate=read_phone(message["to"]),
        provider_id=provider_id,
        message_uid=str(message.get("biz_opaque_callback_data", "")),
        callback_url=callback_url,
        details={**details, "reports": provider == "aws" or bool(callback_url)},
    )
