"""The state of one delivery, and the writes after its sends. Only `deliver` creates and changes it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import assert_never

from chalicelib.core.contacts.mark_unreachable import mark_unreachable
from chalicelib.core.flows.control_flow import pause_flow
from chalicelib.core.flows.progress import difference
from chalicelib.core.privacy.suppress_address import suppress_recipient
from chalicelib.core.steps.admission.base import (
    Admission,
    BudgetPause,
    CircuitPause,
    SendBatch,
    SendCandidate,
    register_in_flight,
)
from chalicelib.core.steps.apply_send_result import apply_send_result
from chalicelib.core.steps.apply_tags import TagChanges
from chalicelib.core.steps.batch_result import BatchResult
from chalicelib.core.steps.channel_feedback import pause_by_circuit
from chalicelib.core.steps.claims import ClaimedSend, release_claims, save_with_retry
from chalicelib.core.steps.interpreter import advance
from chalicelib.core.steps.prepare_message import next_send_option, send_attempt, traversal_context
from chalicelib.core.steps.traversal import Traversal
from chalicelib.errors import GiveUp, RetryLater
from chalicelib.model.execution import DeliveryReceipt, Engagement, Execution, ExecutionKey, MessageOutcome
from chalicelib.model.ids import NodeId
from chalicelib.model.message import Accepted, PermanentFailure, RecipientSuppressed, SendResult
from chalicelib.model.pause import PauseCause, PauseReason
from chalicelib.ports import ExpectClaimedBy, Save

#: A claimed send and what its channel answered.
Sent = tuple[ClaimedSend, SendResult]


@dataclass(slots=True)
class Delivery:
    """One batch of sends, and the amounts that it has charged and spent."""

    batch: SendBatch
    result: BatchResult
    time_left: Callable[[], timedelta]
    #: Amount taken from the flow's budget, and how much of it the messages keep.
    charged: int = 0
    spent: int = 0
    is_registered: bool = False
    #: Executions with a last write that may or may not be stored. Their step messages return to the queue.
    undecided: list[ExecutionKey] = field(default_factory=list)

    def apply_admission(self, admission: Admission) -> None:
        """Take over what the admission checks decided, and pause the flow if they ask for it."""
        batch, result = self.batch, self.result
        result.next_steps.extend(admission.postponed)
        result.low_balances += admission.is_balance_low
        self.charged = admission.charged
        if admission.is_registered:
            self.is_registered, result.in_flight = True, batch.uid
        match admission.pause:
            case CircuitPause() as pause:
                pause_by_circuit(batch, pause, result)
            case BudgetPause():
                pause_flow(batch.ports, batch.workspace, batch.flow, PauseReason(PauseCause.BALANCE))
            case None:
                pass
            case _:
                assert_never(admission.pause)

    def register(self, count: int) -> None:
        """Register the batch as in flight, unless the budget check has done so."""
        if not self.is_registered:
            self.result.in_flight = self.batch.uid
            register_in_flight(self.batch, count)
            self.is_registered = True

    def release(self, claimed: Sequence[ClaimedSend], *, retry: bool) -> None:
        """Release unused claims. `retry`: enqueue the steps again now; otherwise they wait until a resume."""
        for each, ok in release_claims(self.batch, claimed, self.time_left):
            stored = each.candidate.stored
            if ok and retry:
                self.result.schedule(stored, self.batch.ports.clock.now())
            if ok is None:
                self.undecided.append(stored.key)
            if not ok:
                # Another worker holds the execution, or will find this claim. It records the message as `unknown`,
                # and an `unknown` message is paid for.
                self.spent += each.candidate.price

    def release_uncertain(self, claimed: Sequence[ClaimedSend]) -> None:
        """Release claims that may not be stored. A claim that was not stored has spent nothing."""
        for each, ok in release_claims(self.batch, claimed, self.time_left):
            if ok is None:
                self.spent += each.candidate.price

    def refund(self) -> None:
        """Return what the batch did not spend to the flow's budget. If this is lost, a recount finds it."""
        batch = self.batch
        if self.charged > self.spent:
            with suppress(RetryLater):
                batch.ports.budgets.refund(batch.workspace, batch.flow, self.charged - self.spent, batch.uid)

    def save(self, sent: Sequence[Sent]) -> None:
        """Store the results of sent messages, each advanced to its next effect."""
        executions = self._change_tags([(each, self._after(each, send_result)) for each, send_result in sent])
        saves = [
            Save(replace(execution, seq=each.candidate.execution.seq + 1), ExpectClaimedBy(each.attempt))
            for execution, (each, _) in zip(executions, sent, strict=True)
        ]
        results = save_with_retry(self.batch, saves, self.time_left)
        for (each, send_result), save, ok in zip(sent, saves, results, strict=True):
            # If another worker holds the claim, it records the message as `unknown`.
            self.spent += _spent_by(each.candidate, save.execution) if ok else each.candidate.price
            if ok:
                self.result.record_save(each.candidate.stored, save.execution, self.batch.ports.clock.now())
                if isinstance(send_result, RecipientSuppressed | PermanentFailure):
                    self._remember_refusal(each.candidate, send_result)
            elif ok is None:
                self.undecided.append(save.execution.key)
            elif isinstance(send_result, Accepted):
                with suppress(RetryLater):
                    self._correct_unknown(each)

    def _after(self, claimed: ClaimedSend, send_result: SendResult) -> Traversal:
        """Return the execution after the send result, advanced to its next effect."""
        batch, candidate = self.batch, claimed.candidate
        execution, message, now = candidate.execution, candidate.message, batch.ports.clock.now()
        node = NodeId(message.uid.node)
        attempt = send_attempt(batch.plan, execution, node, now, message)
        if isinstance(send_result, RecipientSuppressed | PermanentFailure):
            attempt = replace(attempt, next_option=self._next_option(candidate))
        decided = apply_send_result(execution, attempt, send_result)
        if decided.is_open and node in decided.results:
            try:
                return advance(decided, traversal_context(batch.plan, candidate.contact, now))
            except Exception as error:  # noqa: BLE001 - the message is out and must be saved; the next step meets the fault
                self.result.record_fault(decided, error)
        return Traversal(decided)

    def _next_option(self, candidate: SendCandidate) -> int | None:
        try:
            return next_send_option(self.batch.plan, candidate.message, candidate.execution, candidate.contact)
        except Exception as error:  # noqa: BLE001 - a fault of the fallback must not prevent the save of the refusal
            self.result.record_fault(candidate.execution, error)
            return None

    def _change_tags(self, traversals: Sequence[tuple[ClaimedSend, Traversal]]) -> list[Execution]:
        """Apply the TAG after each message and return the moved executions. A failed TAG waits for the next step.

        A separate step for each TAG would double its cost.
        """
        changes = TagChanges(self.batch.ports, self.batch.plan)
        with suppress(RetryLater):
            changes.change_together((each, claimed.candidate.contact) for claimed, each in traversals)
        executions = []
        for claimed, traversal in traversals:
            try:
                executions.append(changes.advance_past(traversal, claimed.candidate.contact))
            except (GiveUp, RetryLater):
                executions.append(traversal.execution)
            except Exception as error:  # noqa: BLE001 - the message is out and must be saved
                self.result.record_fault(traversal.execution, error)
                executions.append(traversal.execution)
        return executions

    def _remember_refusal(self, candidate: SendCandidate, refusal: RecipientSuppressed | PermanentFailure) -> None:
        """Store what the provider knows about the recipient. If this is lost, the provider refuses once more."""
        message, workspace, ports = candidate.message, self.batch.workspace, self.batch.ports
        with suppress(RetryLater):
            if refusal.code in self.batch.plan.channel_types[message.channel.type].unreachable_codes:
                mark_unreachable(ports, workspace, message.uid.contact, message.channel.type)
            elif isinstance(refusal, RecipientSuppressed):
                suppress_recipient(ports, workspace, message, candidate.contact)

    def _correct_unknown(self, claimed: ClaimedSend) -> None:
        """Record an accepted message as sent, when the lease expired and another worker wrote `unknown`."""
        batch, node = self.batch, NodeId(claimed.candidate.message.uid.node)
        receipt = DeliveryReceipt(Engagement.SENT, batch.ports.clock.now())
        key, shards = claimed.candidate.execution.key, batch.plan.flow.shards
        changed = batch.ports.executions.put_receipt(key, shards, node, receipt)
        if changed is None:
            return
        found = changed[0].results.get(node)
        if found and found.outcome is MessageOutcome.UNKNOWN:
            self.result.counters.update(difference(*changed))


def _spent_by(candidate: SendCandidate, after: Execution) -> int:
    """Return how much of the price that this batch charged the execution keeps, never below zero.

    Only a recount may free what an earlier attempt was charged, because it may be doing so now.
    """
    found = after.results.get(NodeId(candidate.message.uid.node))
    return max(0, (found.cost if found else after.paid) - candidate.execution.paid)
