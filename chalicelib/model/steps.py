"""What every node type shares: the authored step, what a node may look at, and what it may answer.

A node decides and does nothing: it gets a `StepContext` and returns an outcome, which is data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from chalicelib.errors import Problem
from chalicelib.model.base import Outside
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Receipt, Result
from chalicelib.model.ids import NODE_PATTERN, NodeId

#: The exit of every node that has only one.
NEXT = "next"


@dataclass(frozen=True, slots=True)
class StepContext:
    """All that a node may look at. `now` is the engine's clock; `entered` is when the walk came to the node."""

    now: datetime
    entered: datetime
    campaign: str
    contact: Contact
    results: Mapping[NodeId, Result]
    receipts: Mapping[NodeId, Receipt]


@dataclass(frozen=True, slots=True)
class Go:
    """Leave by this exit at once."""

    exit: str = NEXT


@dataclass(frozen=True, slots=True)
class Sleep:
    """Stay until this moment, then leave by `next`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand one message over, then leave by `next`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The walk ends here."""


NodeOutcome = Go | Sleep | Deliver | Stop


class Step(Outside):
    """Base of the authored steps; each node type is a subclass with `type` as its discriminator."""

    #: Exits, besides those of its lanes.
    exits: ClassVar[tuple[str, ...]] = (NEXT,)

    id: Annotated[str, Field(pattern=NODE_PATTERN)]
    name: Annotated[str, Field(max_length=200)] | None = None

    def decide(self, context: StepContext) -> NodeOutcome:
        """What to do with the contact here; pure."""
        raise TypeError(f"{type(self).__name__} does not decide on {context.contact.uid}")

    def warnings(self, now: datetime) -> tuple[Problem, ...]:
        """What an author should look at before launching; does not block. Fields are relative to the step."""
        del now
        return ()
