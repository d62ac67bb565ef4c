"""A channel type that records every message, and returns the result that a test sets."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel

from chalicelib.model.channel import RateLimits
from chalicelib.model.contact import Contact
from chalicelib.model.message import Accepted, OutgoingMessage, SendResult
from chalicelib.ports import Clock
from chalicelib.providers.base import BaseChannelType
from chalicelib.providers.console import ConsoleContent, ConsoleSettings


@dataclass
class Sent:
    """One call of the provider."""

    at: datetime
    message: OutgoingMessage


@dataclass
class RecordingChannel(BaseChannelType):
    """A channel type for tests. `answer` returns the send result; `during` runs before it, within the call."""

    clock: Clock
    answer: Callable[[OutgoingMessage], SendResult] = lambda message: Accepted(str(message.uid))
    during: Callable[[OutgoingMessage], None] = lambda _: None
    calls: list[Sent] = field(default_factory=list)
    name: str = "console"
    settings: type[BaseModel] = ConsoleSettings
    content: type[BaseModel] = ConsoleContent
    deduplicates: bool = False
    timeout: timedelta = timedelta(seconds=1)
    parts: int = 1
    quota: RateLimits = field(default_factory=RateLimits)

    def address_of(self, contact: Contact) -> str | None:
        return contact.email

    def account_limits(self) -> RateLimits:
        return self.quota

    def parts_of(self, content: Mapping[str, str]) -> int:
        return self.parts

    def send(self, message: OutgoingMessage) -> SendResult:
        self.calls.append(Sent(self.clock.now(), message))
        self.during(message)
        return self.answer(message)

    def times_called(self) -> Counter[str]:
        """Return the number of calls for each message, by message uid."""
        return Counter(str(sent.message.uid) for sent in self.calls)

    def recipients(self) -> list[str]:
        return [sent.message.to for sent in self.calls]
