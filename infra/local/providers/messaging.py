"""Local AWS End User Messaging for SMS and RCS: AWS JSON 1.0, validated with the service model of botocore."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from infra.local.providers.inbox import (
    LOST_RESPONSE,
    AcceptedMessage,
    ProviderInbox,
    ProviderRequest,
    ProviderResponse,
    new_id,
)
from infra.local.providers.scripted_outcomes import ScriptedOutcome, read_phone

SERVICE = "pinpoint-sms-voice-v2"
TARGET = "PinpointSMSVoiceV2."
OPERATIONS = ("SendTextMessage", "SendRcsMessage")
#: Key in `Context` of Carillon's message uid.
CONTEXT_KEY = "message"


def answer(inbox: ProviderInbox, http_request: ProviderRequest) -> ProviderResponse:
    """Answer SendTextMessage and SendRcsMessage; refuse every other operation."""
    operation = http_request.headers.get("x-amz-target", "").removeprefix(TARGET)
    if operation not in OPERATIONS:
        return _refuse("UnknownOperationException", f"{operation} is not known here")
    try:
        request = json.loads(http_request.body)
    except ValueError:
        return _refuse("SerializationException", "The body is not JSON")
    if report := check(SERVICE, operation, request):
        return _refuse("ValidationException", report, "FIELD_VALIDATION_FAILED")
    outcome = read_phone(request["DestinationPhoneNumber"])
    uid = request.get("Context", {}).get(CONTEXT_KEY, "")
    if refusal := _find_refusal(inbox, operation, outcome, f"{operation} {uid or request['DestinationPhoneNumber']}"):
        return refusal
    accepted = _build_message(operation, request, outcome, uid)
    inbox.accept(accepted)
    return (
        LOST_RESPONSE
        if inbox.should_lose_response(outcome, f"{operation} {uid}")
        else ProviderResponse(200, {"MessageId": accepted.provider_id})
    )


def _find_refusal(inbox: ProviderInbox, operation: str, outcome: ScriptedOutcome, key: str) -> ProviderResponse | None:
    if inbox.should_throttle(outcome, key):
        return _refuse("ThrottlingException", "Rate exceeded")
    if outcome is ScriptedOutcome.SUPPRESSED:
        return _refuse("ConflictException", "The number has opted out", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
    if outcome is ScriptedOutcome.CLOSED:
        return _refuse("AccessDeniedException", "The account is disabled", "ACCOUNT_DISABLED")
    if outcome is ScriptedOutcome.BROKEN:
        return _refuse("InternalServerException", f"{operation} failed", status=500)
    return None


def _build_message(operation: str, request: Mapping[str, Any], outcome: ScriptedOutcome, uid: str) -> AcceptedMessage:
    is_rcs = operation == "SendRcsMessage"
    content = request.get("RcsMessageContent", {}).get("Content", {})
    return AcceptedMessage(
        channel="rcs" if is_rcs else "sms",
        provider="aws",
        to=request["DestinationPhoneNumber"],
        text=content.get("TextMessage", {}).get("Body", "") if is_rcs else request.get("MessageBody", ""),
        outcome=outcome,
        provider_id=new_id(),
        message_uid=uid,
        details={
            "sender": request.get("OriginationIdentity", ""),
            "context": request.get("Context", {}),
            "fallback": request.get("FallbackConfiguration", {}),
            "reports": bool(request.get("ConfigurationSetName")),
        },
    )


def _refuse(code: str, message: str, reason: str = "", status: int = 400) -> ProviderResponse:
    body = {"__type": code, "Message": message, **({"Reason": reason} if reason else {})}
    return ProviderResponse(status, body, {"Content-Type": "application/x-amz-json-1.0"})


def check(service: str, operation: str, request: object) -> str:
    """Return why the service model rejects a request; empty if it is valid."""
    shape = _model(service).operation_model(operation).input_shape
    if not isinstance(request, dict):
        return "The request is not an object"
    unknown = sorted(set(request) - set(shape.members))
    return ParamValidator().validate(request, shape).generate_report() or (f"Unknown: {unknown}" if unknown else "")


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)
