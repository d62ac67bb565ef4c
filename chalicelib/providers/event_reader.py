"""Read what all provider events share: JSON, envelopes, times, prices, and the words for opt-out and opt-in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, DecimalException

from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES, Price, ProviderCallback

#: Replies that providers treat as an opt-out by default (Twilio, AWS), in lower case.
STOP_WORDS = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt-out", "remove"}
    | {"arret", "arrêt", "stopp"}
)
#: Replies that undo an opt-out. Twilio's YES is missing: people also answer questions with it, and Twilio itself
#: reports in `OptOutType` when it took one as an opt-in.
START_WORDS = frozenset({"start", "unstop"})
#: Price units in one unit of a currency with 100 minor units: a price unit is 10⁻⁴ of a minor unit.
_UNITS = 1_000_000
#: Larger amounts are not prices of a message. The limit also keeps the arithmetic cheap.
_MAX_AMOUNT = 1_000_000


def read_event(callback: ProviderCallback) -> Mapping[str, object]:
    """Return the provider's event without the envelope of SNS or EventBridge, or an empty mapping."""
    event = read_json(callback.body)
    if event.get("Type") == "Notification":
        message = event.get("Message")
        return read_json(message) if isinstance(message, str) else {}
    if "detail-type" in event:
        detail = event.get("detail")
        return detail if isinstance(detail, dict) else {}
    return event


def read_json(body: bytes | str) -> Mapping[str, object]:
    """Return a JSON object with exact decimals; an empty mapping for other JSON, invalid JSON or a body too long."""
    if len(body) > MAX_CALLBACK_BYTES:
        return {}
    try:
        found: object = json.loads(body, parse_float=Decimal)
    # `Decimal` raises its own exception for an exponent of 20 digits.
    except (ValueError, RecursionError, DecimalException):
        return {}
    return found if isinstance(found, dict) else {}


def read_epoch(text: str, per_second: int = 1) -> datetime | None:
    """Read an epoch time. `per_second` is the number of its units in a second: 1,000 for ms."""
    try:
        return datetime.fromtimestamp(int(text) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_iso(text: str) -> datetime | None:
    """Read an ISO 8601 time; one without a time zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_price(currency: str, *amounts: str) -> Price | None:
    """Add up the amounts that are not empty. None without any, or if one is not a plausible number."""
    try:
        decimals = [Decimal(amount) for amount in amounts if amount]
        if not decimals or any(not abs(amount) <= _MAX_AMOUNT for amount in decimals):
            return None
        return Price(int((sum(decimals, Decimal(0)) * _UNITS).to_integral_value()), currency)
    except DecimalException:
        return None


def is_stop(text: str) -> bool:
    """Return whether a reply asks for no more messages."""
    return _normalize(text) in STOP_WORDS


def is_start(text: str) -> bool:
    """Return whether a reply takes back an earlier opt-out."""
    return _normalize(text) in START_WORDS


def _normalize(text: str) -> str:
    return text.strip(" \t\r\n.!\"'").casefold()
