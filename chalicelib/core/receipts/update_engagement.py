"""Store a receipt on its execution and count it. The rank of a receipt only rises, so repeats change nothing."""

from dataclasses import dataclass

from chalicelib.core.flows.progress import all_reported, difference, looks_finished
from chalicelib.core.reconciliation.request_recount import NOW, recount_backoff, request_recount
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, MessageUid, NodeId, WorkspaceUid, new_uid
from chalicelib.ports import Ports


@dataclass(frozen=True, slots=True)
class MatchedMessage:
    """A message, with its flow and its execution as stored now."""

    uid: MessageUid
    flow: Flow
    execution: Execution

    @property
    def known(self) -> DeliveryReceipt | None:
        """The receipt with the highest rank so far."""
        return self.execution.receipts.get(self.uid.node)

    @property
    def is_current(self) -> bool:
        """True if this is the message of the node, and not a send option that was refused before it."""
        result = self.execution.results.get(self.uid.node)
        return self.uid.option == (result.option if result else self.execution.option)

    @property
    def channel(self) -> str:
        """Uid of the channel that sent the message; empty until its result is saved."""
        result = self.execution.results.get(self.uid.node)
        return result.channel if result else ""


def find_message(ports: Ports, uid: MessageUid) -> MatchedMessage | None:
    """Find the execution of a message. None if it or its flow was deleted, and for messages outside of flows."""
    flow = ports.catalog.find(uid.workspace, Flow, uid.flow)
    if flow is None:
        return None
    key = ExecutionKey(uid.workspace, uid.flow, uid.contact, uid.visit)
    execution = ports.executions.find_many([key], flow.shards, strong=True).get(key)
    return MatchedMessage(uid, flow, execution) if execution else None


def is_being_sent(ports: Ports, found: MatchedMessage) -> bool:
    """Report whether a worker may hold an unsaved send result.

    A receipt that is stored now would not be counted: the worker counts an execution without the receipt, and the
    receipt is counted for a message without a result.
    """
    claim = found.execution.claim
    return claim is not None and claim.node == found.uid.node and claim.until > ports.clock.real()


def update_engagement(
    ports: Ports, found: MatchedMessage, receipt: DeliveryReceipt, is_redelivered: bool = False
) -> None:
    """Store a receipt, count it, and request the end of the flow when it was the last one awaited.

    Idempotent, in any order. `is_redelivered`: an earlier run may have stopped between execution and statistics.
    """
    uid, flow = found.uid, found.flow
    changed = ports.executions.put_receipt(found.execution.key, flow.shards, uid.node, receipt)
    if changed is None:
        if is_redelivered:
            _count_again(ports, found)
        return
    counters = difference(*changed)
    ports.statistics.record_batch(uid.workspace, uid.flow, flow.stats_epoch, new_uid(), counters)
    _update_flow(ports, found, was_awaited=_was_awaited(uid.node, *changed))


def _count_again(ports: Ports, found: MatchedMessage) -> None:
    """Request a recount of an ended flow. For a running flow, note a movement, so that a recount under way repeats."""
    uid, flow = found.uid, found.flow
    if flow.is_over:
        request_recount(ports, uid.workspace, flow, recount_backoff(ports, flow))
        return
    ports.statistics.record_batch(uid.workspace, uid.flow, flow.stats_epoch, new_uid(), {"movements": 1})
    _update_flow(ports, found, was_awaited=True)


def _update_flow(ports: Ports, found: MatchedMessage, *, was_awaited: bool) -> None:
    """Read the flow again and request a recount or its end, if the receipt may be missing in its statistics."""
    uid, flow = found.uid, ports.catalog.find(found.uid.workspace, Flow, found.flow.uid)
    if flow is None:
        return
    if flow.stats_epoch != found.flow.stats_epoch:
        # A recount has replaced the statistics that counted this receipt. Its pass may not have read the receipt.
        request_recount(ports, uid.workspace, flow, recount_backoff(ports, flow) if flow.is_over else NOW)
    elif was_awaited and flow.may_end and flow.is_expanded:
        _request_end(ports, uid.workspace, flow)


def _was_awaited(node: NodeId, before: Execution, after: Execution) -> bool:
    """Report whether this is the first receipt with a final state, for a message of an ended execution."""
    was_reported = _is_final(before.receipts.get(node))
    return not after.is_open and not was_reported and _is_final(after.receipts[node])


def _is_final(receipt: DeliveryReceipt | None) -> bool:
    return receipt is not None and receipt.engagement is not Engagement.SENT


def _request_end(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    counters = ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch)
    if looks_finished(flow, counters) and all_reported(counters):
        request_recount(ports, workspace, flow)
