"""Advance an execution through its graph to the next node that has an effect. Pure: no I/O."""

from dataclasses import replace
from typing import assert_never

from chalicelib.core.steps.traversal import SkipMessage, Traversal, TraversalContext
from chalicelib.errors import GiveUp
from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome, MessageResult, NodeVisit
from chalicelib.model.graph import Node
from chalicelib.model.ids import NodeId
from chalicelib.model.message import OutgoingMessage
from chalicelib.model.steps import NEXT, ChangeTags, Continue, Deliver, StepContext, Stop, WaitUntil

#: A graph has at most 200 nodes and no loops, so a longer path without an effect is a bug.
MAX_NODES_WITHOUT_EFFECT = 201


def advance(execution: Execution, context: TraversalContext) -> Traversal:
    """Follow nodes without effects from the current node. Raises GiveUp if a node is not in the graph."""
    execution = replace(execution, updated=context.now)
    if execution.waiting:
        execution = _leave(replace(execution, waiting=False, due=None), NEXT, context)
    for _ in range(MAX_NODES_WITHOUT_EFFECT):
        if not execution.is_open:
            return Traversal(execution)
        moved = _step(execution, context)
        if isinstance(moved, Traversal):
            return moved
        execution = moved
    raise GiveUp("walk_too_long", f"More than {MAX_NODES_WITHOUT_EFFECT} nodes without an effect at {execution.node}")


def _step(execution: Execution, context: TraversalContext) -> Execution | Traversal:
    """Process one node: return the moved execution, or a Traversal where an effect is needed."""
    node = _node_of(execution, context)
    if context.history is None and node.step.required_events:
        names = frozenset().union(*(each.step.required_events for each in context.graph))
        return Traversal(execution, needs_events=names)
    outcome = node.step.decide(_step_context(execution, context))
    match outcome:
        case Continue(exit=exit_name, why=why):
            return _leave(execution, exit_name, context, why)
        case WaitUntil(until=until):
            return Traversal(replace(execution, status=ExecutionStatus.PENDING, waiting=True, due=until))
        case Deliver():
            return _prepare_send(execution, node, context)
        case ChangeTags():
            return Traversal(execution, change_tags=outcome)
        case Stop():
            return _finish(execution, context)
        case _:
            assert_never(outcome)


def _node_of(execution: Execution, context: TraversalContext) -> Node:
    node = context.graph.nodes.get(execution.node) if execution.node else None
    if node is None:
        raise GiveUp("node_not_found", f"The campaign version has no node {execution.node}")
    return node


def _step_context(execution: Execution, context: TraversalContext) -> StepContext:
    return StepContext(
        now=context.now,
        entered=execution.entered,
        campaign=context.campaign,
        node=execution.node or NodeId(""),
        contact=context.contact,
        timezone=context.timezone,
        results=execution.results,
        receipts=execution.receipts,
        properties=execution.properties,
        history=context.history or (),
    )


def _prepare_send(execution: Execution, node: Node, context: TraversalContext) -> Execution | Traversal:
    if node.id in execution.results:
        return _leave(execution, NEXT, context)
    try:
        prepared = context.prepare(node, execution, context.contact)
    except GiveUp as error:
        # The execution fails at this node, not at an earlier node that has sent its message, so a retry starts here.
        return Traversal(execution.finished(ExecutionStatus.FAILED, error.code, context.now))
    if node.id in execution.receipts or (execution.answer_lost and isinstance(prepared, SkipMessage)):
        # The response to an earlier attempt was lost. Either a receipt proves that the message is out, or the contact
        # may no longer be contacted and the outcome stays unknown.
        channel = prepared.channel.uid if isinstance(prepared, OutgoingMessage) else prepared.channel
        unknown = execution.unknown_result(context.now, channel)
        return _leave(execution.with_result(node.id, unknown), NEXT, context)
    if isinstance(prepared, OutgoingMessage):
        return Traversal(execution, prepared)
    skipped = MessageResult(
        MessageOutcome.SKIPPED, context.now, attempts=0, channel=prepared.channel, reason=prepared.reason
    )
    return _leave(execution.with_result(node.id, skipped), NEXT, context)


def leave_tag_node(execution: Execution, context: TraversalContext) -> Execution:
    """Move the execution past its current TAG node, after the tags were changed."""
    return _leave(execution, NEXT, context)


def _leave(execution: Execution, exit_name: str, context: TraversalContext, why: str = "") -> Execution:
    node = _node_of(execution, context)
    visit = NodeVisit(node.id, exit_name, execution.entered, context.now, why)
    moved = replace(
        execution,
        path=(*execution.path, visit),
        node=node.exits[exit_name],
        entered=context.now,
        attempt=0,
        due=None,
        faults=0,
        option=0,
        answer_lost=False,
    )
    return _finish(moved, context) if moved.node is None or execution.single_node else moved


def _finish(execution: Execution, context: TraversalContext) -> Execution:
    """End the execution: `skipped` if it had SENDs and all were skipped, else `completed`."""
    results = list(execution.results.values())
    if results and all(result.outcome is MessageOutcome.SKIPPED for result in results):
        return execution.finished(ExecutionStatus.SKIPPED, results[0].reason, context.now)
    return execution.finished(ExecutionStatus.COMPLETED, None, context.now)
