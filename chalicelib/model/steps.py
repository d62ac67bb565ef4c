"""What every node type shares: the authored step, what a node may look at, and what it may answer.

A node decides and does nothing: it gets a `StepContext` and returns an outcome, which is data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from chalicelib.errors import Problem
from chalicelib.model.base import StrictModel
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.execution import DeliveryReceipt, MessageResult
from chalicelib.model.ids import NODE_PATTERN, NodeId

#: The exit of every node that has only one.
NEXT = "next"


@dataclass(frozen=True, slots=True)
class StepContext:
    """All that a node may look at. `now` is the engine's clock; `entered` is when the walk came to the node."""

    now: datetime
    entered: datetime
    campaign: str
    node: NodeId
    contact: Contact
    #: The workspace's zone, for contacts without one of their own.
    timezone: str
    results: Mapping[NodeId, MessageResult]
    receipts: Mapping[NodeId, DeliveryReceipt]
    #: Of the event that started the walk, if one did.
    properties: Mapping[str, JsonValue] = field(default_factory=dict)
    #: What the contact did, newest first; read only for steps that ask for it.
    history: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Continue:
    """Leave by this exit at once; `why` is the comparison that decided, for the inspector."""

    exit: str = NEXT
    why: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Stay until this moment, then leave by `next`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand one message over, then leave by `next`."""


@dataclass(frozen=True, slots=True)
class ChangeTags:
    """Change the contact's tags, then leave by `next`."""

    add: tuple[str, ...]
    remove: tuple[str, ...]

    def of(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """These tags changed: each once, those that were there first."""
        return tuple(tag for tag in dict.fromkeys((*tags, *self.add)) if tag not in self.remove)


@dataclass(frozen=True, slots=True)
class Stop:
    """The walk ends here."""


NodeOutcome = Continue | WaitUntil | Deliver | ChangeTags | Stop


@dataclass(frozen=True, slots=True)
class Branch:
    """One lane as it was written: its exit, its raw steps, and where they stand below the step."""

    exit: str
    steps: tuple[JsonValue, ...]
    field: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A message that a step looks at, and the field that names it."""

    node: str
    field: str


class Step(StrictModel):
    """Base of the authored steps; each node type is a subclass with `type` as its discriminator."""

    #: Whether it hands over messages, to which later steps may refer.
    delivers: ClassVar[bool] = False
    #: Whether its lanes are variants whose messages are compared.
    compares_lanes: ClassVar[bool] = False

    type: str
    id: Annotated[str, Field(pattern=NODE_PATTERN)]
    name: Annotated[str, Field(max_length=200)] | None = None

    @property
    def exits(self) -> tuple[str, ...]:
        """Ways out that lead to the step after this one."""
        return (NEXT,)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Ways out that have steps of their own, after which the lanes gather."""
        return ()

    @property
    def odds(self) -> Mapping[str, float]:
        """By exit, how likely it is drawn; nothing where something else than chance decides."""
        return {}

    @property
    def refers_to(self) -> tuple[Reference, ...]:
        """Earlier SENDs whose messages this step looks at."""
        return ()

    @property
    def asks_for(self) -> frozenset[str]:
        """Names of events that it wants to see in `StepContext.history`."""
        return frozenset()

    def decide(self, context: StepContext) -> NodeOutcome:
        """What to do with the contact here; pure."""
        raise TypeError(f"{type(self).__name__} does not decide on {context.contact.uid}")

    def problems(self, now: datetime) -> tuple[Problem, ...]:
        """What blocks a launch now, though the step can be read. Fields are relative to the step."""
        del now
        return ()

    def warnings(self, now: datetime) -> tuple[Problem, ...]:
        """What an author should look at before launching; does not block. Fields are relative to the step."""
        del now
        return ()
