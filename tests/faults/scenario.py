"""What a scenario is: a campaign, what operators and contacts do and when, how the provider answers, what must come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.model.message import Accepted, OutgoingMessage
from tests.faults.provider import Answer

if TYPE_CHECKING:
    from tests.faults.simulation import World

Act = Callable[["World"], None]
#: What is wrong with the run, beyond what holds of every run.
Check = Callable[["World"], Sequence[str]]


def _accept(letter: OutgoingMessage, _: int) -> Accepted:
    return Accepted(str(letter.uid))


def _nothing(_: "World") -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Scenario:
    """One entry of the table. All invariants are checked after every run; `check` adds what is special here."""

    name: str
    steps: tuple[Mapping[str, Any], ...]
    #: Moment after the beginning → what somebody does then.
    script: tuple[tuple[timedelta, Act], ...]
    contacts: int = 2
    #: How many flows there must be in the end.
    flows: int = 1
    #: Contact → how many walks; None is one for every contact, in every flow.
    walks: Mapping[str, int] | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    channel: Mapping[str, Any] = field(default_factory=dict)
    campaign: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer = _accept
    deduplicates: bool = False
    #: A lost answer is sent again: one more acceptance for each fault.
    resends: bool = False
    #: What is done at every single call, one run for each.
    act: Act | None = None
    check: Check = _nothing
    #: Node → node before it, and the least time between their messages.
    gaps: tuple[tuple[str, str, timedelta], ...] = ()
    #: Between any two messages of a flow.
    pace: timedelta | None = None
    #: Small enough for all pairs of faults.
    is_small: bool = False
    #: Emulator → why it cannot play this.
    not_on: Mapping[str, str] = field(default_factory=dict)
