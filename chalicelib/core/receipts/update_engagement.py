"""Raises what is known of a message on its row: once, only upwards, and into the flow's statistics."""

from dataclasses import dataclass

from chalicelib.core.flows.progress import all_reported, difference, looks_finished
from chalicelib.core.reconciliation.request_recount import NOW, recount_backoff, request_recount
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionKey
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, MessageUid, NodeId, WorkspaceUid, new_uid
from chalicelib.ports import Ports


@dataclass(frozen=True, slots=True)
class MatchedMessage:
    """A message by its row, as it stands now."""

    uid: MessageUid
    flow: Flow
    row: Execution

    @property
    def known(self) -> DeliveryReceipt | None:
        """The highest that was reported before."""
        return self.row.receipts.get(self.uid.node)

    @property
    def is_current(self) -> bool:
        """Whether it is the row's message at the node, and not an offer that was refused before it."""
        result = self.row.results.get(self.uid.node)
        return self.uid.offer == (result.offer if result else self.row.offer)

    @property
    def channel(self) -> str:
        """By which it went; empty while it is being sent."""
        result = self.row.results.get(self.uid.node)
        return result.channel if result else ""


def find_message(ports: Ports, uid: MessageUid) -> MatchedMessage | None:
    """None for a flow or a row that was deleted, and for messages outside of flows."""
    flow = ports.catalog.find(uid.workspace, Flow, uid.flow)
    if flow is None:
        return None
    key = ExecutionKey(uid.workspace, uid.flow, uid.contact, uid.visit)
    row = ports.executions.find_many([key], flow.shards, strong=True).get(key)
    return MatchedMessage(uid, flow, row) if row else None


def is_being_sent(ports: Ports, found: MatchedMessage) -> bool:
    """Whether a worker has the provider's answer and has not saved it yet.

    It would count a row without the receipt, and the receipt a message without a result: neither would be counted.
    """
    claim = found.row.claim
    return claim is not None and claim.node == found.uid.node and claim.until > ports.clock.real()


def update_engagement(ports: Ports, found: MatchedMessage, receipt: DeliveryReceipt, again: bool = False) -> None:
    """Harmless twice and in any order; asks for the flow's end when nothing else was awaited.

    `again`: it was tried before, and may have broken off between the row and the statistics.
    """
    uid, flow = found.uid, found.flow
    changed = ports.executions.put_receipt(found.row.key, flow.shards, uid.node, receipt)
    if changed is None:
        if again:
            _make_good(ports, found)
        return
    counters = difference(*changed)
    ports.statistics.record_batch(uid.workspace, uid.flow, flow.stats_epoch, new_uid(), counters)
    _follow(ports, found, is_news=_was_awaited(uid.node, *changed))


def _make_good(ports: Ports, found: MatchedMessage) -> None:
    """A flow that is over is counted once more, as is one of which a pass is under way that may not have seen it."""
    uid, flow = found.uid, found.flow
    if flow.is_over:
        request_recount(ports, uid.workspace, flow, recount_backoff(ports, flow))
        return
    ports.statistics.record_batch(uid.workspace, uid.flow, flow.stats_epoch, new_uid(), {"movements": 1})
    _follow(ports, found, is_news=True)


def _follow(ports: Ports, found: MatchedMessage, *, is_news: bool) -> None:
    """What the flow makes of it, as it is by now."""
    uid, flow = found.uid, ports.catalog.find(found.uid.workspace, Flow, found.flow.uid)
    if flow is None:
        return
    if flow.stats_epoch != found.flow.stats_epoch:
        # A recount has closed the books in which this was noted; whether its pass saw the receipt, nobody knows.
        request_recount(ports, uid.workspace, flow, recount_backoff(ports, flow) if flow.is_over else NOW)
    elif is_news and flow.may_end and flow.is_expanded:
        _ask_for_the_end(ports, uid.workspace, flow)


def _was_awaited(node: NodeId, before: Execution, after: Execution) -> bool:
    """Whether this receipt is the first that says what became of a message of a walk that is over."""
    was_told = _tells_more(before.receipts.get(node))
    return not after.is_open and not was_told and _tells_more(after.receipts[node])


def _tells_more(receipt: DeliveryReceipt | None) -> bool:
    return receipt is not None and receipt.engagement is not Engagement.SENT


def _ask_for_the_end(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    counters = ports.statistics.read(workspace, FlowUid(flow.uid), flow.stats_epoch)
    if looks_finished(flow, counters) and all_reported(counters):
        request_recount(ports, workspace, flow)
