"""A scenario: a campaign, scheduled acts of operators and contacts, the provider's results, and expected values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.model.message import Accepted, OutgoingMessage
from tests.faults.provider import Answer

if TYPE_CHECKING:
    from tests.faults.simulation import World

Act = Callable[["World"], None]
#: Returns violations that only this scenario can detect.
Check = Callable[["World"], Sequence[str]]


def _accept(message: OutgoingMessage, _: int) -> Accepted:
    return Accepted(str(message.uid))


def _nothing(_: "World") -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Scenario:
    """One entry of the table. All invariants are checked after every run; `check` adds rules of this scenario."""

    name: str
    steps: tuple[Mapping[str, Any], ...]
    #: Delay after the beginning → act.
    script: tuple[tuple[timedelta, Act], ...]
    contacts: int = 2
    #: Number of flows at the end.
    flows: int = 1
    #: Contact → number of executions; None expects one for every contact in every flow.
    enrolled: Mapping[str, int] | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    channel: Mapping[str, Any] = field(default_factory=dict)
    campaign: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer = _accept
    deduplicates: bool = False
    #: The channel sends again after a lost response, so each fault allows one more acceptance.
    resends: bool = False
    #: Act that runs at every single call, in one run for each call.
    act: Act | None = None
    check: Check = _nothing
    #: Node, later node, and the shortest allowed time between their messages.
    gaps: tuple[tuple[str, str, timedelta], ...] = ()
    #: Shortest allowed time between any two messages of a flow.
    pace: timedelta | None = None
    #: Whether the scenario is small enough to run all pairs of faults.
    is_small: bool = False
    #: Emulator → reason why it cannot run this scenario.
    not_on: Mapping[str, str] = field(default_factory=dict)
