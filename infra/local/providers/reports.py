"""Delivery reports in the form of each provider: AWS events, signed callbacks of Twilio and Meta."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chalicelib.providers.signatures import sign_meta, sign_twilio
from infra.local.providers.credentials import META, TWILIO
from infra.local.providers.inbox import AcceptedMessage, new_id
from infra.local.providers.steps import Step

ANSWERS = {Step.ANSWERED: "Hello", Step.STOPPED: "STOP"}
_PRICES = {"sms": 0.0075, "rcs": 0.01}
_FAILED = {Step.BOUNCED, Step.SOFT_BOUNCED}


@dataclass(frozen=True, slots=True)
class Event:
    """An event for the receipt queue, as SNS delivers it."""

    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Post:
    """A request to a callback URL."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def build_reports(accepted: AcceptedMessage, step: Step, at: datetime) -> tuple[Event | Post, ...]:
    """Return the reports of a step; empty if the provider does not report it."""
    if accepted.provider == "twilio":
        return tuple(_by_twilio(accepted, step))
    if accepted.provider == "meta":
        return tuple(_by_meta(accepted, step, at))
    if accepted.channel == "push":
        return tuple(_by_sns(accepted, step, at))
    if accepted.channel == "whatsapp":
        return tuple(_by_social(accepted, step, at))
    return tuple(_by_messaging(accepted, step, at)) if accepted.provider == "aws" else ()


_TEXT = {Step.SENT: "SENT", Step.DELIVERED: "DELIVERED", Step.BOUNCED: "INVALID", Step.SOFT_BOUNCED: "UNREACHABLE"}
_RCS = {Step.SENT: "SENT", Step.DELIVERED: "DELIVERED", Step.READ: "READ"}
_RCS_FAILED = {Step.BOUNCED: "FAILED", Step.SOFT_BOUNCED: "TTL_EXPIRED"}


def _by_messaging(accepted: AcceptedMessage, step: Step, at: datetime) -> Iterator[Event]:
    """https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html"""
    if step in ANSWERS:
        yield Event(_inbound_text(accepted, ANSWERS[step]))
    elif accepted.channel == "sms" and step in _TEXT:
        yield Event(_status(accepted, f"TEXT_{_TEXT[step]}", at))
    elif accepted.channel == "rcs" and step in _RCS:
        yield Event(_status(accepted, f"RCS_{_RCS[step]}", at))
    elif accepted.channel == "rcs" and step in _RCS_FAILED and accepted.details["fallback"]:
        yield Event(_status(accepted, "RCS_FALLEN_BACK_TO_SMS", at))
        yield Event(_status(accepted, "TEXT_DELIVERED", at))
    elif accepted.channel == "rcs" and step in _RCS_FAILED:
        yield Event(_status(accepted, f"RCS_{_RCS_FAILED[step]}", at))


def _status(accepted: AcceptedMessage, kind: str, at: datetime) -> dict[str, object]:
    status = kind.partition("_")[2]
    return {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": int(at.timestamp() * 1000),
        "isFinal": status not in {"SENT", "FALLEN_BACK_TO_SMS"},
        "originationPhoneNumber": accepted.details["sender"],
        "destinationPhoneNumber": accepted.to,
        "messageId": accepted.provider_id,
        "messageStatus": status,
        "messageStatusDescription": f"Local: {status.lower()}",
        "context": accepted.details["context"],
        "totalMessageParts": 1,
        "totalMessagePrice": _PRICES[accepted.channel],
        "totalCarrierFee": 0.0,
    }


def _inbound_text(accepted: AcceptedMessage, text: str) -> dict[str, object]:
    return {
        "originationNumber": accepted.to,
        "destinationNumber": accepted.details["sender"],
        "messageKeyword": "KEYWORD",
        "messageBody": text,
        "inboundMessageId": new_id(),
        "previousPublishedMessageId": accepted.provider_id,
    }


def _by_social(accepted: AcceptedMessage, step: Step, at: datetime) -> Iterator[Event]:
    """https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destination-dlrs.html"""
    if (entry := _entry(accepted, step, at)) is not None:
        yield Event(
            {
                "context": {"MetaWabaIds": [], "MetaPhoneNumberIds": []},
                "whatsAppWebhookEntry": json.dumps(entry),
                "aws_account_id": "000000000000",
                "message_timestamp": at.isoformat(),
                "messageId": accepted.provider_id,
            }
        )


def _by_meta(accepted: AcceptedMessage, step: Step, at: datetime) -> Iterator[Post]:
    if (entry := _entry(accepted, step, at)) is not None:
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        signature = sign_meta(META["appSecret"], body)
        yield Post(accepted.callback_url, body, {"Content-Type": "application/json", "X-Hub-Signature-256": signature})


def _by_sns(accepted: AcceptedMessage, step: Step, at: datetime) -> Iterator[Event]:
    """Yield the event of a permanent failure, the only push event of SNS. It contains only the id of SNS.

    https://docs.aws.amazon.com/sns/latest/dg/application-event-notifications.html
    """
    if step is Step.BOUNCED:
        yield Event(
            {
                "DeliveryAttempts": 1,
                "EndpointArn": accepted.to,
                "EventType": "DeliveryFailure",
                "FailureMessage": "Platform token associated with the endpoint is not valid",
                "FailureType": "InvalidPlatformToken",
                "MessageId": accepted.provider_id,
                "Service": "SNS",
                "Time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
        )


_STATUSES = {Step.SENT: "sent", Step.DELIVERED: "delivered", Step.READ: "read"}
_META_CODES = {Step.BOUNCED: 131026, Step.SOFT_BOUNCED: 131049}


def _entry(accepted: AcceptedMessage, step: Step, at: datetime) -> dict[str, object] | None:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples"""
    phone, moment = accepted.to.removeprefix("+"), str(int(at.timestamp()))
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100", "phone_number_id": accepted.details["sender"]},
    }
    if step in ANSWERS:
        context, text = {"from": "15550100", "id": accepted.provider_id}, {"body": ANSWERS[step]}
        answer = {"from": phone, "id": new_id("wamid."), "timestamp": moment, "type": "text"}
        value["messages"] = [{**answer, "text": text, "context": context}]
    elif step in _STATUSES or step in _FAILED:
        status: dict[str, Any] = {"id": accepted.provider_id, "timestamp": moment, "recipient_id": phone}
        status |= {"status": _STATUSES.get(step, "failed"), "biz_opaque_callback_data": accepted.message_uid}
        errors = {"errors": [{"code": _META_CODES[step], "title": "Local"}]} if step in _FAILED else {}
        value["statuses"] = [{**status, **errors}]
    else:
        return None
    return {"id": "local", "changes": [{"value": value, "field": "messages"}]}


_TWILIO_STATUSES = {Step.SENT: "sent", Step.DELIVERED: "delivered"}
_TWILIO_CODES = {Step.BOUNCED: "30005", Step.SOFT_BOUNCED: "30003"}


def _by_twilio(accepted: AcceptedMessage, step: Step) -> Iterator[Post]:
    """https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks"""
    form = {"AccountSid": accepted.details["account"], "To": accepted.to, "From": accepted.details["sender"]}
    url = accepted.callback_url
    if step in ANSWERS:
        # Twilio calls the URL of the phone number, which does not contain a message uid.
        url = url.partition("?")[0]
        form |= {"To": form["From"], "From": accepted.to, "Body": ANSWERS[step], "SmsStatus": "received"}
        form |= {"MessageSid": new_id("SM"), **({"OptOutType": "STOP"} if step is Step.STOPPED else {})}
    elif step in _TWILIO_STATUSES or step in _FAILED:
        form |= {"MessageSid": accepted.provider_id, "MessageStatus": _TWILIO_STATUSES.get(step, "undelivered")}
        form |= {"ErrorCode": _TWILIO_CODES[step]} if step in _FAILED else {}
    else:
        return
    signature = sign_twilio(TWILIO["authToken"], url, form.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    yield Post(url, urlencode(form).encode(), headers)
