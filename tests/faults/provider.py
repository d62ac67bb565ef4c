"""The provider of the harness: it records every call and returns the result that the scenario defines."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel

from chalicelib.errors import RetryLater
from chalicelib.model.contact import Contact
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import read_message_uid
from chalicelib.model.message import Accepted, OutcomeUnknown, OutgoingMessage, SendResult, Throttled
from chalicelib.providers.base import BaseChannelType
from chalicelib.providers.console import ConsoleContent, ConsoleSettings
from tests.faults.injector import FaultInjector

#: Returns the result for a message and the number of earlier attempts to send it.
Answer = Callable[[OutgoingMessage, int], SendResult]


@dataclass(frozen=True)
class Attempt:
    """One call that reached the provider; `from_zombie` marks a worker beyond its time limit."""

    at: datetime
    message: str
    flow: str
    contact: str
    node: str
    result: SendResult
    from_zombie: bool

    @property
    def is_accepted(self) -> bool:
        """Whether the provider accepted the message. A lost response counts as accepted."""
        return isinstance(self.result, Accepted | OutcomeUnknown)


@dataclass
class Provider(BaseChannelType):
    """A channel type with the settings and the content of `console`."""

    injector: FaultInjector
    answer: Answer = lambda message, _: Accepted(str(message.uid))
    attempts: list[Attempt] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    name: str = "console"
    settings: type[BaseModel] = ConsoleSettings
    content: type[BaseModel] = ConsoleContent
    deduplicates: bool = False
    timeout: timedelta = timedelta(seconds=1)

    def address_of(self, contact: Contact) -> str | None:
        return contact.email

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """Parse `<message uid> <engagement>`, as `operators.receipts` writes it."""
        message, _, engagement = callback.body.decode(errors="replace").partition(" ")
        uid = read_message_uid(message)
        return (DeliveryReport(Engagement(engagement), message=uid),) if uid else ()

    def send(self, message: OutgoingMessage) -> SendResult:
        """Return the provider's result, OutcomeUnknown for a lost response, or Throttled for a refused call."""
        before = len(self.attempts)
        try:
            result: SendResult = self.injector.call("provider.send", self._take, (message,), {})
        except RetryLater:
            return OutcomeUnknown("answer_lost") if len(self.attempts) > before else Throttled()
        return result

    def _take(self, message: OutgoingMessage) -> SendResult:
        uid = str(message.uid)
        result = self.answer(message, self.times[uid])
        self.times[uid] += 1
        invocation = self.injector.invocations[-1]
        self.attempts.append(
            Attempt(
                self.injector.clock.true_now(), uid, message.uid.flow, message.uid.contact, message.uid.node, result,
                invocation.is_zombie,
            )
        )  # fmt: skip
        return result

    def acceptances(self) -> Counter[str]:
        """Return how often the provider accepted each message, by message uid."""
        return Counter(each.message for each in self.attempts if each.is_accepted)
