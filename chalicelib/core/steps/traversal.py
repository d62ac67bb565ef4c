"""What the interpreter reads and returns while it advances an execution through its graph."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.execution import Execution, MessageOutcome
from chalicelib.model.graph import Graph, Node
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.steps import NEXT, ChangeTags


@dataclass(frozen=True, slots=True)
class SkipMessage:
    """The SEND is skipped for this contact. `channel` is the uid of its channel, if known."""

    reason: SkipReason
    channel: str = ""


#: Returns the message of a SEND node, or the reason to skip it.
PrepareMessage = Callable[[Node, Execution, Contact], OutgoingMessage | SkipMessage]


@dataclass(frozen=True, slots=True)
class TraversalContext:
    """Everything that decides how an execution advances, besides the execution itself."""

    graph: Graph
    #: Uid of the campaign.
    campaign: str
    contact: Contact
    prepare: PrepareMessage
    now: datetime
    #: IANA time zone of the workspace.
    timezone: str = "UTC"
    #: Events of the contact, newest first; None until a node needs them.
    history: tuple[Event, ...] | None = None


@dataclass(frozen=True, slots=True)
class Traversal:
    """The execution at the next node with an effect, and that effect. At most one effect is set."""

    execution: Execution
    message: OutgoingMessage | None = None
    change_tags: ChangeTags | None = None
    #: Names of the events that must be loaded before the execution can advance.
    needs_events: frozenset[str] = frozenset()


def depends_on_contact(before: Execution, after: Execution) -> bool:
    """Report whether the contact's data decided something in between: a skipped message or a chosen lane."""
    if any(visit.exit != NEXT for visit in after.path[len(before.path) :]):
        return True
    new = {node: result for node, result in after.results.items() if node not in before.results}
    # The message with the lost response was not sent again. The contact decided that, unless a receipt did.
    gave_up = before.answer_lost and before.node in new and before.node not in after.receipts
    return gave_up or any(result.outcome is MessageOutcome.SKIPPED for result in new.values())
