"""Correct the flow budget by a recount: record what the executions have spent, and free what crashes left over."""

from chalicelib.model.balance import FlowBudget, LedgerEntry, LedgerEntryKind
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.ports import Ports

#: A batch was using the flow budget when the pass began, so its charge is not on the executions yet.
BUSY = -1


def snapshot_budget(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> int | None:
    """Return the number of changes of the flow budget before the pass, BUSY, or None for a flow that is not prepaid.

    A batch registers as in flight before it charges, and leaves the register after its refund. If the register is empty
    after the budget was read, every earlier charge is on the executions or was left over by a crash.
    """
    if not flow.prepaid:
        return None
    budget = ports.budgets.find_budget(workspace, FlowUid(flow.uid))
    busy = ports.statistics.in_flight(workspace, FlowUid(flow.uid), ports.clock.real())
    return BUSY if busy else budget.changes


def reconcile_spend(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, budget_moves: int | None, counted: tuple[int, int]
) -> bool:
    """Set the flow budget to the counted amounts. False if it changed during the pass, so another pass is needed.

    `counted`: the amount spent, and the cost of claims without a result, in millionths of the currency.
    """
    if budget_moves is None:
        return True
    stored = ports.budgets.find_budget(workspace, FlowUid(flow.uid))
    if stored.changes != budget_moves:
        return False
    spent, claimed = counted
    after = FlowBudget(left=0, drawn=spent + claimed, settled=spent)
    if (stored.left, stored.drawn, stored.settled) == (after.left, after.drawn, after.settled):
        return True
    amount = after.settled - stored.settled
    entry = LedgerEntry(new_uid(), LedgerEntryKind.SPENT, -amount, ports.clock.now(), flow.uid) if amount else None
    return ports.budgets.reconcile(workspace, FlowUid(flow.uid), stored, after, entry)
