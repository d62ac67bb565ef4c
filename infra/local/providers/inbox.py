"""State shared by the local providers: accepted messages as files of the outbox, and counts of refused requests."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from infra.local.providers.scripted_outcomes import THROTTLE_REFUSALS, ScriptedOutcome

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """An HTTP request; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """An HTTP response; status None closes the connection without a response."""

    status: int | None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


#: The message is accepted, but the client never gets the response.
LOST_RESPONSE = ProviderResponse(None)


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that a provider accepted. It is stored as a file of the outbox; later events are built from it."""

    channel: str
    provider: str
    to: str
    text: str
    outcome: ScriptedOutcome
    provider_id: str
    message_uid: str = ""
    #: URL for delivery reports; empty: the provider publishes events instead.
    callback_url: str = ""
    #: Further values that the events contain.
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ProviderInbox:
    """Accepts messages one at a time, so that files appear in the outbox in the order of their names."""

    outbox: Path
    now: Callable[[], datetime]
    refused: Counter[str] = field(default_factory=Counter)
    lost: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    #: Time of the last accepted message.
    last: datetime = EPOCH
    #: Ids of the messages in the outbox.
    message_ids: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.message_ids = {path.stem.partition("-")[2] for path in self.outbox.glob("*Z-*.json")}

    def should_throttle(self, outcome: ScriptedOutcome, key: str) -> bool:
        """Return whether to refuse this attempt; `key` identifies the message."""
        with self.lock:
            self.refused[key] += outcome is ScriptedOutcome.THROTTLE
            return outcome is ScriptedOutcome.THROTTLE and self.refused[key] <= THROTTLE_REFUSALS

    def should_lose_response(self, outcome: ScriptedOutcome, key: str) -> bool:
        """Return whether to drop the response. Only the first response to a message is dropped."""
        with self.lock:
            is_first = key not in self.lost
            self.lost.add(key)
            return outcome is ScriptedOutcome.LOST and is_first

    def accept(self, accepted: AcceptedMessage) -> None:
        """Write the message to the outbox before the sender gets a response."""
        with self.lock:
            self.last = max(self.now(), self.last + timedelta(microseconds=1))
            name = f"{self.last:%Y%m%dT%H%M%S.%fZ}-{accepted.provider_id}.json"
            draft = self.outbox / f".{name}"
            stored = asdict(accepted)
            # Files of earlier versions in the outbox call the outcome `fate`.
            stored["fate"] = stored.pop("outcome")
            draft.write_text(json.dumps(stored, ensure_ascii=False, indent=1), encoding="utf-8")
            draft.replace(self.outbox / name)
            self.message_ids.add(accepted.provider_id)


def read_accepted(content: str) -> AcceptedMessage:
    """Parse a file of the outbox. Raises ValueError, KeyError or TypeError on other content."""
    stored = json.loads(content)
    outcome = ScriptedOutcome(stored.pop("fate"))
    return AcceptedMessage(**stored, outcome=outcome)


def new_id(prefix: str = "") -> str:
    """Return a random message id with the prefix of the provider."""
    return f"{prefix}{uuid4().hex}"
