"""A channel type that remembers what it was given, and answers as it is told."""

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
    letter: OutgoingMessage


@dataclass
class Postbox(BaseChannelType):
    """`answer` decides; `during` runs while the provider is being called, before it answers."""

    clock: Clock
    answer: Callable[[OutgoingMessage], SendResult] = lambda letter: Accepted(str(letter.uid))
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

    def allowance(self) -> RateLimits:
        return self.quota

    def parts_of(self, content: Mapping[str, str]) -> int:
        return self.parts

    def send(self, letter: OutgoingMessage) -> SendResult:
        self.calls.append(Sent(self.clock.now(), letter))
        self.during(letter)
        return self.answer(letter)

    def times_called(self) -> Counter[str]:
        """By message uid, how often the provider was asked to send it."""
        return Counter(str(sent.letter.uid) for sent in self.calls)

    def recipients(self) -> list[str]:
        return [sent.letter.to for sent in self.calls]
