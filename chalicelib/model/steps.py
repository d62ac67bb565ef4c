"""Base classes of node types: the authored step, its context, and its possible outcomes.

A node only decides: it receives a `StepContext` and returns an outcome, which is data.
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
    """Everything that a node can read.

    `now` is the engine's clock; `entered` is when the execution reached the node.
    """

    now: datetime
    entered: datetime
    campaign: str
    node: NodeId
    contact: Contact
    #: The workspace's time zone, for contacts without one.
    timezone: str
    results: Mapping[NodeId, MessageResult]
    receipts: Mapping[NodeId, DeliveryReceipt]
    #: Properties of the event that started the execution, if any.
    properties: Mapping[str, JsonValue] = field(default_factory=dict)
    #: Events of the contact, newest first; loaded only for steps that need them.
    history: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Continue:
    """Leave by this exit immediately. `why` is the deciding comparison, which the inspector shows."""

    exit: str = NEXT
    why: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Stay until a time, then leave by `next`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send one message, then leave by `next`."""


@dataclass(frozen=True, slots=True)
class ChangeTags:
    """Change the contact's tags, then leave by `next`."""

    add: tuple[str, ...]
    remove: tuple[str, ...]

    def of(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return the changed tags: existing ones first, without duplicates."""
        return tuple(tag for tag in dict.fromkeys((*tags, *self.add)) if tag not in self.remove)


@dataclass(frozen=True, slots=True)
class Stop:
    """End the execution."""


NodeOutcome = Continue | WaitUntil | Deliver | ChangeTags | Stop


@dataclass(frozen=True, slots=True)
class Branch:
    """A lane as it was written: its exit, its raw steps, and the position of the steps in the campaign."""

    exit: str
    steps: tuple[JsonValue, ...]
    field: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to the message of another step, and the field that contains it."""

    node: str
    field: str


class Step(StrictModel):
    """Base of the authored steps; each node type is a subclass with `type` as its discriminator."""

    #: Whether the step sends messages. Later steps may refer to them.
    delivers: ClassVar[bool] = False
    #: Whether the lanes are variants, so that statistics compare their messages.
    compares_lanes: ClassVar[bool] = False

    type: str
    """Type of the step, which decides its other fields."""
    id: Annotated[str, Field(pattern=NODE_PATTERN)]
    """Id of the step, unique in the campaign."""
    name: Annotated[str, Field(max_length=200)] | None = None
    """Name of the step for operators, at most 200 characters."""

    @property
    def exits(self) -> tuple[str, ...]:
        """The exits that lead to the following step."""
        return (NEXT,)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The exits that lead to lanes. The lanes join at the following step."""
        return ()

    @property
    def odds(self) -> Mapping[str, float]:
        """Probability of each exit; empty if the exit is not random."""
        return {}

    @property
    def references(self) -> tuple[Reference, ...]:
        """References to earlier SENDs, for a step that depends on their messages."""
        return ()

    @property
    def required_events(self) -> frozenset[str]:
        """Names of the events that the step needs in `StepContext.history`."""
        return frozenset()

    def decide(self, context: StepContext) -> NodeOutcome:
        """Decide the outcome for a contact. Must be pure."""
        raise TypeError(f"{type(self).__name__} cannot decide for contact {context.contact.uid}")

    def problems(self, now: datetime) -> tuple[Problem, ...]:
        """Return the problems of a readable step that block a launch at this time. Fields are relative to the step."""
        del now
        return ()

    def warnings(self, now: datetime) -> tuple[Problem, ...]:
        """Return the warnings for the author, which do not block a launch. Fields are relative to the step."""
        del now
        return ()
