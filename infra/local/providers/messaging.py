"""AWS End User Messaging SMS and RCS on this machine: AWS JSON 1.0, checked by botocore's own model of the service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from infra.local.providers.desk import LOST, Asked, Desk, Taken, Told, new_id
from infra.local.providers.fates import Fate, read_phone

SERVICE = "pinpoint-sms-voice-v2"
TARGET = "PinpointSMSVoiceV2."
OPERATIONS = ("SendTextMessage", "SendRcsMessage")
#: The key in `Context` under which Carillon's own uid travels.
CONTEXT_KEY = "message"


def answer(desk: Desk, asked: Asked) -> Told:
    """SendTextMessage and SendRcsMessage; anything else is unknown here."""
    operation = asked.headers.get("x-amz-target", "").removeprefix(TARGET)
    if operation not in OPERATIONS:
        return _refuse("UnknownOperationException", f"{operation} is not known here")
    try:
        request = json.loads(asked.body)
    except ValueError:
        return _refuse("SerializationException", "The body is not JSON")
    if report := check(SERVICE, operation, request):
        return _refuse("ValidationException", report, "FIELD_VALIDATION_FAILED")
    fate = read_phone(request["DestinationPhoneNumber"])
    uid = request.get("Context", {}).get(CONTEXT_KEY, "")
    if refusal := _find_refusal(desk, operation, fate, f"{operation} {uid or request['DestinationPhoneNumber']}"):
        return refusal
    taken = _build_taken(operation, request, fate, uid)
    desk.take(taken)
    return LOST if desk.loses_answer(fate, f"{operation} {uid}") else Told(200, {"MessageId": taken.provider_id})


def _find_refusal(desk: Desk, operation: str, fate: Fate, key: str) -> Told | None:
    if desk.is_throttled(fate, key):
        return _refuse("ThrottlingException", "Rate exceeded")
    if fate is Fate.SUPPRESSED:
        return _refuse("ConflictException", "The number has opted out", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
    if fate is Fate.CLOSED:
        return _refuse("AccessDeniedException", "The account is disabled", "ACCOUNT_DISABLED")
    if fate is Fate.BROKEN:
        return _refuse("InternalServerException", f"{operation} failed", status=500)
    return None


def _build_taken(operation: str, request: Mapping[str, Any], fate: Fate, uid: str) -> Taken:
    is_rcs = operation == "SendRcsMessage"
    content = request.get("RcsMessageContent", {}).get("Content", {})
    return Taken(
        channel="rcs" if is_rcs else "sms",
        provider="aws",
        to=request["DestinationPhoneNumber"],
        text=content.get("TextMessage", {}).get("Body", "") if is_rcs else request.get("MessageBody", ""),
        fate=fate,
        provider_id=new_id(),
        message_uid=uid,
        details={
            "sender": request.get("OriginationIdentity", ""),
            "context": request.get("Context", {}),
            "fallback": request.get("FallbackConfiguration", {}),
            "reports": bool(request.get("ConfigurationSetName")),
        },
    )


def _refuse(code: str, message: str, reason: str = "", status: int = 400) -> Told:
    body = {"__type": code, "Message": message, **({"Reason": reason} if reason else {})}
    return Told(status, body, {"Content-Type": "application/x-amz-json-1.0"})


def check(service: str, operation: str, request: object) -> str:
    """What the service's own model has against a request."""
    shape = _model(service).operation_model(operation).input_shape
    if not isinstance(request, dict):
        return "The request is not an object"
    unknown = sorted(set(request) - set(shape.members))
    return ParamValidator().validate(request, shape).generate_report() or (f"Unknown: {unknown}" if unknown else "")


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)
