"""What the local providers share: the messages that they took, as files of the outbox, and how often they refused."""

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

from infra.local.providers.fates import THROTTLED_TIMES, Fate

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """An HTTP request, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """An HTTP answer; None as its status closes the connection without one."""

    status: int | None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


#: The answer that never arrives.
LOST = Told(None)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that a provider took: a file of the outbox, of which its events are made."""

    channel: str
    provider: str
    to: str
    text: str
    fate: Fate
    provider_id: str
    message_uid: str = ""
    #: Where the provider reports to; empty reports by an event.
    callback_url: str = ""
    #: What else its events repeat.
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Desk:
    """Takes messages down. One at a time, so that files appear in the outbox in the order of their names."""

    outbox: Path
    now: Callable[[], datetime]
    refused: Counter[str] = field(default_factory=Counter)
    lost: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    #: When the last message was taken.
    last: datetime = LONG_AGO
    #: Ids of the messages in the outbox.
    taken: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = {path.stem.partition("-")[2] for path in self.outbox.glob("*Z-*.json")}

    def is_throttled(self, fate: Fate, key: str) -> bool:
        """Whether this message is refused this time; `key` names it."""
        with self.lock:
            self.refused[key] += fate is Fate.THROTTLE
            return fate is Fate.THROTTLE and self.refused[key] <= THROTTLED_TIMES

    def loses_answer(self, fate: Fate, key: str) -> bool:
        """Whether the answer to this message is lost; it is only the first time."""
        with self.lock:
            is_first = key not in self.lost
            self.lost.add(key)
            return fate is Fate.LOST and is_first

    def take(self, taken: Taken) -> None:
        """The file is there before the sender learns that the message was accepted."""
        with self.lock:
            self.last = max(self.now(), self.last + timedelta(microseconds=1))
            name = f"{self.last:%Y%m%dT%H%M%S.%fZ}-{taken.provider_id}.json"
            draft = self.outbox / f".{name}"
            draft.write_text(json.dumps(asdict(taken), ensure_ascii=False, indent=1), encoding="utf-8")
            draft.replace(self.outbox / name)
            self.taken.add(taken.provider_id)


def read_taken(content: str) -> Taken:
    """A file of the outbox as it was taken down."""
    found = json.loads(content)
    return Taken(**{**found, "fate": Fate(found["fate"])})


def new_id(prefix: str = "") -> str:
    """As providers make them."""
    return f"{prefix}{uuid4().hex}"
