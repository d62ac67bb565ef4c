"""Walks a row through its graph up to the next thing that needs the world."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from chalicelib.errors import GiveUp
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome, MessageResult, NodeVisit
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.steps import NEXT, ChangeTags, Continue, Deliver, StepContext, Stop, WaitUntil

#: A graph has at most 200 nodes and no loops, so a longer walk without an effect is a fault of ours.
MAX_INSTANT = 201


@dataclass(frozen=True, slots=True)
class SkipMessage:
    """This SEND is not for this contact now."""

    reason: SkipReason
    channel: str = ""


#: Answers a SEND with the letter to hand over, or why there is none.
Consider = Callable[[Node, Execution, Contact], OutgoingMessage | SkipMessage]


@dataclass(frozen=True, slots=True)
class WalkContext:
    """What a walk looks at besides the row."""

    graph: Graph
    campaign: str
    contact: Contact
    consider: Consider
    now: datetime
    #: The workspace's zone.
    timezone: str = "UTC"
    #: What the contact did, newest first; None until a node asks for it.
    history: tuple[Event, ...] | None = None


@dataclass(frozen=True, slots=True)
class WalkResult:
    """Where the row stands after the instant nodes; `letter` is what is to be handed over there, if anything."""

    row: Execution
    letter: OutgoingMessage | None = None
    retag: ChangeTags | None = None
    #: Names of the events to be read before the walk can go on.
    asks_for: frozenset[str] = frozenset()


def advance(row: Execution, scene: WalkContext) -> WalkResult:
    """Follows instant nodes from where the row stands; raises GiveUp when the row fits no graph."""
    row = replace(row, updated=scene.now)
    if row.asleep:
        row = _leave(replace(row, asleep=False, due=None), NEXT, scene)
    for _ in range(MAX_INSTANT):
        if not row.is_open:
            return WalkResult(row)
        moved = _step(row, scene)
        if isinstance(moved, WalkResult):
            return moved
        row = moved
    raise GiveUp("walk_too_long", f"More than {MAX_INSTANT} nodes without an effect at {row.node}")


def _step(row: Execution, scene: WalkContext) -> Execution | WalkResult:
    """One node: the row moved on, or an Advance where the world is needed."""
    node = _node_of(row, scene)
    if scene.history is None and node.step.asks_for:
        return WalkResult(row, asks_for=frozenset().union(*(each.step.asks_for for each in scene.graph)))
    outcome = node.step.decide(_context(row, scene))
    match outcome:
        case Continue(exit=exit_name, why=why):
            return _leave(row, exit_name, scene, why)
        case WaitUntil(until=until):
            return WalkResult(replace(row, status=ExecutionStatus.PENDING, asleep=True, due=until))
        case Deliver():
            return _deliver(row, node, scene)
        case ChangeTags():
            return WalkResult(row, retag=outcome)
        case Stop():
            return _finish(row, scene)
        case _:
            assert_never(outcome)


def _node_of(row: Execution, scene: WalkContext) -> Node:
    node = scene.graph.nodes.get(row.node) if row.node else None
    if node is None:
        raise GiveUp("node_not_found", f"The campaign version has no node {row.node}")
    return node


def _context(row: Execution, scene: WalkContext) -> StepContext:
    return StepContext(
        now=scene.now,
        entered=row.entered,
        campaign=scene.campaign,
        node=row.node or NodeId(""),
        contact=scene.contact,
        timezone=scene.timezone,
        results=row.results,
        receipts=row.receipts,
        properties=row.properties,
        history=scene.history or (),
    )


def _deliver(row: Execution, node: Node, scene: WalkContext) -> Execution | WalkResult:
    if node.id in row.results:
        return _leave(row, NEXT, scene)
    try:
        answer = scene.consider(node, row, scene.contact)
    except GiveUp as error:
        # It fails here, not at a node before it whose message is out: a retry starts here.
        return WalkResult(row.finished(ExecutionStatus.FAILED, error.code, scene.now))
    if node.id in row.receipts or (row.unsure and isinstance(answer, SkipMessage)):
        # The answer was lost and it was to be sent again. Meanwhile the provider has told that it is out, which makes
        # it a sent one, or the contact is no longer to be written to, and nobody will know.
        channel = answer.channel.uid if isinstance(answer, OutgoingMessage) else answer.channel
        return _leave(row.with_result(node.id, row.unanswered(scene.now, channel)), NEXT, scene)
    if isinstance(answer, OutgoingMessage):
        return WalkResult(row, answer)
    skipped = MessageResult(MessageOutcome.SKIPPED, scene.now, attempts=0, channel=answer.channel, reason=answer.reason)
    return _leave(row.with_result(node.id, skipped), NEXT, scene)


def leave_tag_node(row: Execution, scene: WalkContext) -> Execution:
    """The row behind a TAG that has been done."""
    return _leave(row, NEXT, scene)


def depends_on_contact(before: Execution, after: Execution) -> bool:
    """Whether the walk in between skipped a message or took a lane: another contact might have gone another way."""
    if any(visit.exit != NEXT for visit in after.path[len(before.path) :]):
        return True
    new = {node: result for node, result in after.results.items() if node not in before.results}
    # Of a message that was to be sent again, when no receipt is why it is not.
    gave_up = before.unsure and before.node in new and before.node not in after.receipts
    return gave_up or any(result.outcome is MessageOutcome.SKIPPED for result in new.values())


def _leave(row: Execution, exit_name: str, scene: WalkContext, why: str = "") -> Execution:
    node = _node_of(row, scene)
    visit = NodeVisit(node.id, exit_name, row.entered, scene.now, why)
    moved = replace(
        row,
        path=(*row.path, visit),
        node=node.exits[exit_name],
        entered=scene.now,
        attempt=0,
        due=None,
        faults=0,
        offer=0,
        unsure=False,
    )
    return _finish(moved, scene) if moved.node is None or row.only else moved


def _finish(row: Execution, scene: WalkContext) -> Execution:
    """The end of a walk: skipped when it had SENDs and every one was skipped."""
    outcomes = [result.outcome for result in row.results.values()]
    if outcomes and all(outcome is MessageOutcome.SKIPPED for outcome in outcomes):
        reason = next(result.reason for result in row.results.values())
        return row.finished(ExecutionStatus.SKIPPED, reason, scene.now)
    return row.finished(ExecutionStatus.COMPLETED, None, scene.now)
