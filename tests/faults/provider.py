"""The provider of the harness: it remembers every call, and answers as the scenario says."""

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
from tests.faults.injector import Board

#: Answers by the letter and by how many times this message was tried before.
Answer = Callable[[OutgoingMessage, int], SendResult]


@dataclass(frozen=True)
class Try:
    """One call that reached the provider; a zombie's worker had outlived its time."""

    at: datetime
    message: str
    flow: str
    contact: str
    node: str
    verdict: SendResult
    by_zombie: bool

    @property
    def is_accepted(self) -> bool:
        """Whether the contact has the message now; also behind an answer that the scenario calls lost."""
        return isinstance(self.verdict, Accepted | OutcomeUnknown)


@dataclass
class Provider(BaseChannelType):
    """A channel type like `console`."""

    board: Board
    answer: Answer = lambda letter, _: Accepted(str(letter.uid))
    tries: list[Try] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    name: str = "console"
    settings: type[BaseModel] = ConsoleSettings
    content: type[BaseModel] = ConsoleContent
    deduplicates: bool = False
    timeout: timedelta = timedelta(seconds=1)

    def address_of(self, contact: Contact) -> str | None:
        return contact.email

    def read_events(self, callback: ProviderCallback) -> tuple[DeliveryReport, ...]:
        """`message engagement`, as `operators.receipts` writes it."""
        message, _, engagement = callback.body.decode(errors="replace").partition(" ")
        uid = read_message_uid(message)
        return (DeliveryReport(Engagement(engagement), message=uid),) if uid else ()

    def send(self, letter: OutgoingMessage) -> SendResult:
        """A lost answer is unknown, a call that never arrived is as if the provider had been too busy."""
        before = len(self.tries)
        try:
            verdict: SendResult = self.board.call("provider.send", self._take, (letter,), {})
        except RetryLater:
            return OutcomeUnknown("answer_lost") if len(self.tries) > before else Throttled()
        return verdict

    def _take(self, letter: OutgoingMessage) -> SendResult:
        uid = str(letter.uid)
        verdict = self.answer(letter, self.times[uid])
        self.times[uid] += 1
        frame = self.board.frames[-1]
        self.tries.append(
            Try(
                self.board.clock.true_now(), uid, letter.uid.flow, letter.uid.contact, letter.uid.node, verdict,
                frame.is_zombie,
            )
        )  # fmt: skip
        return verdict

    def acceptances(self) -> Counter[str]:
        """By message, how often the provider took it."""
        return Counter(each.message for each in self.tries if each.is_accepted)
