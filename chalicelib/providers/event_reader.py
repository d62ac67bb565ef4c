"""Reads providers' events: JSON by paths that may lead nowhere, times, prices, and the envelopes around events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from chalicelib.model.delivery_report import MAX_CALLBACK_BYTES, Price, ProviderCallback

#: What providers themselves take for an opt-out by default (Twilio, AWS), in lower case.
STOP_WORDS = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt-out", "remove"}
    | {"arret", "arrêt", "stopp"}
)
#: What takes it back. Twilio's YES is not among them: it answers too many questions; Twilio itself says what it took.
START_WORDS = frozenset({"start", "unstop"})
#: Units of a currency of 100 minor units: 10⁻⁴ of a minor unit each.
_UNITS = 1_000_000


def read_event(callback: ProviderCallback) -> Mapping[str, object]:
    """The event as the provider made it, without what SNS or EventBridge put around it; empty for anything else."""
    event = read_json(callback.body)
    if get_text(event, "Type") == "Notification":
        return read_json(get_text(event, "Message").encode())
    return get_map(event, "detail") if "detail-type" in event else event


def read_json(body: bytes | str) -> Mapping[str, object]:
    """An object, numbers exact; empty for what is none or too long."""
    if len(body) > MAX_CALLBACK_BYTES:
        return {}
    try:
        found: object = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def get_value(event: object, *path: str | int) -> object:
    """What lies at the end of the path, None where it breaks off."""
    for part in path:
        if isinstance(event, Mapping) and isinstance(part, str):
            event = event.get(part)
        elif isinstance(event, list) and isinstance(part, int) and part < len(event):
            event = event[part]
        else:
            return None
    return event


def get_text(event: object, *path: str | int) -> str:
    """A string or a number as text, else empty."""
    value = get_value(event, *path)
    return str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""


def get_map(event: object, *path: str | int) -> Mapping[str, object]:
    """An object, else an empty one."""
    value = get_value(event, *path)
    return value if isinstance(value, Mapping) else {}


def get_maps(event: object, *path: str | int) -> list[Mapping[str, object]]:
    """The objects of a list, else none."""
    value = get_value(event, *path)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def read_epoch(text: str, a_second: int = 1) -> datetime | None:
    """Epoch seconds, or milliseconds when there are 1,000 of them to `a_second`."""
    try:
        return datetime.fromtimestamp(int(text) / a_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_iso(text: str) -> datetime | None:
    """ISO 8601; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_price(currency: str, *amounts: str) -> Price | None:
    """The sum of what is told, None when nothing is."""
    try:
        told = [Decimal(amount) for amount in amounts if amount]
        return Price(int((sum(told, Decimal(0)) * _UNITS).to_integral_value()), currency) if told else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def is_stop(text: str) -> bool:
    """Whether somebody wants no more messages."""
    return _word(text) in STOP_WORDS


def is_start(text: str) -> bool:
    """Whether somebody wants messages again."""
    return _word(text) in START_WORDS


def _word(text: str) -> str:
    return text.strip(" \t\r\n.!\"'").casefold()
