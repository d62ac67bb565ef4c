"""Admission check: the budget of a prepaid flow."""

from collections.abc import Sequence

from chalicelib.core.billing.charge_messages import withdraw
from chalicelib.core.steps.admission.base import (
    Admission,
    BudgetPause,
    SendBatch,
    SendCandidate,
    postpone,
    register_in_flight,
    retry_time,
)


def check_budget(batch: SendBatch, candidates: Sequence[SendCandidate]) -> Admission:
    """Charge as many sends as the budget covers and postpone the others. Ask for a pause when it covers none.

    The batch registers before it pays, and it pays before it claims. So money that a crash leaves with no execution is
    found by a recount, and no execution can hold a message that was not paid for.
    """
    costs = [candidate.price for candidate in candidates]
    if not sum(costs):
        return Admission(tuple(candidates))
    register_in_flight(batch, len(candidates))
    withdrawal = withdraw(batch.ports, batch.workspace, batch.flow, costs)
    count, is_low = withdrawal.count, withdrawal.low
    if count == 0 and not _may_be_refunded(batch, costs[0]):
        return Admission((), pause=BudgetPause(), is_balance_low=is_low)
    return Admission(
        tuple(candidates[:count]),
        tuple(postpone(candidate, retry_time(batch)) for candidate in candidates[count:]),
        charged=sum(costs[:count]),
        is_registered=count > 0,
        is_balance_low=is_low,
    )


def _may_be_refunded(batch: SendBatch, cost: int) -> bool:
    """Report whether other workers of the flow may still return budget, or have just returned it.

    The batch leaves the register first; otherwise two batches without budget would wait for each other. A worker that
    returns budget does so before it leaves.
    """
    workspace, flow, ports = batch.workspace, batch.flow, batch.ports
    ports.statistics.record_batch(workspace, flow, batch.plan.flow.stats_epoch, batch.uid, {})
    if ports.statistics.in_flight(workspace, flow, ports.clock.real()):
        return True
    return ports.budgets.find_budget(workspace, flow).left >= cost
