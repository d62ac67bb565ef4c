"""Books what a count of the rows found spent, and frees what crashes left over: the rows are the truth about money."""

from chalicelib.model.balance import FlowBudget, LedgerEntry, LedgerEntryKind
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.ports import Ports

#: A batch was at the purse when the count began: what it took is on no row yet.
BUSY = -1


def snapshot_budget(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> int | None:
    """How often the purse had moved before the rows are counted, BUSY, or None where nothing is paid for.

    Batches enter the register of sends in flight before they take, and leave it after they gave back. So when nobody is
    in it after the purse was read, whatever was taken until then is on the rows, or was left over by a crash.
    """
    if not flow.prepaid:
        return None
    purse = ports.budgets.find_budget(workspace, FlowUid(flow.uid))
    busy = ports.statistics.in_flight(workspace, FlowUid(flow.uid), ports.clock.real())
    return BUSY if busy else purse.changes


def reconcile_spend(
    ports: Ports, workspace: WorkspaceUid, flow: Flow, takes: int | None, counted: tuple[int, int]
) -> bool:
    """`counted`: spent, and the cost of claims that nobody has resolved. False when it is to be counted once more."""
    if takes is None:
        return True
    seen = ports.budgets.find_budget(workspace, FlowUid(flow.uid))
    if seen.changes != takes:
        return False
    spent, claimed = counted
    after = FlowBudget(left=0, drawn=spent + claimed, settled=spent)
    if (seen.left, seen.drawn, seen.settled) == (after.left, after.drawn, after.settled):
        return True
    booked = after.settled - seen.settled
    entry = LedgerEntry(new_uid(), LedgerEntryKind.SPENT, -booked, ports.clock.now(), flow.uid) if booked else None
    return ports.budgets.reconcile(workspace, FlowUid(flow.uid), seen, after, entry)
