"""Balances in dicts."""

from collections import defaultdict
from dataclasses import replace

from chalicelib.model.balance import Balance, BillingSettings, FlowBudget, LedgerEntry, ReloadCounter
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Page
from tests.memory.paging import cut_page


class MemoryBalances:
    """Implements `ports.Balances` and `ports.FlowBudgets` in memory."""

    def __init__(self) -> None:
        self.balances: dict[WorkspaceUid, Balance] = {}
        self.ledger: dict[WorkspaceUid, dict[str, LedgerEntry]] = defaultdict(dict)
        self.budgets: dict[tuple[WorkspaceUid, FlowUid], FlowBudget] = defaultdict(FlowBudget)
        self._tokens: set[str] = set()

    def find(self, workspace: WorkspaceUid) -> Balance | None:
        return self.balances.get(workspace)

    def credit(self, workspace: WorkspaceUid, entry: LedgerEntry) -> None:
        if entry.uid not in self.ledger[workspace]:
            self.ledger[workspace][entry.uid] = entry
            balance = self._balance(workspace)
            self.balances[workspace] = replace(balance, available=balance.available + entry.units, low_reported=False)

    def reload(self, workspace: WorkspaceUid, entry: LedgerEntry, seen: ReloadCounter, then: ReloadCounter) -> bool:
        if self._balance(workspace).reloads != seen:
            return False
        self.credit(workspace, entry)
        self.balances[workspace] = replace(self._balance(workspace), reloads=then)
        return True

    def mark_low(self, workspace: WorkspaceUid, count: int) -> bool:
        balance = self._balance(workspace)
        if balance.low_count != count:
            return False
        self.balances[workspace] = replace(balance, low_count=count + 1, low_reported=True)
        return True

    def configure(self, workspace: WorkspaceUid, settings: BillingSettings) -> Balance:
        self.balances[workspace] = replace(self._balance(workspace), settings=settings, low_reported=False)
        return self.balances[workspace]

    def list_entries(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[LedgerEntry]:
        return cut_page("ledger", self.ledger[workspace].items(), limit, cursor)

    def find_budget(self, workspace: WorkspaceUid, flow: FlowUid) -> FlowBudget:
        return self.budgets[workspace, flow]

    def reserve(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        balance = self._balance(workspace)
        if balance.available < units:
            return False
        self.balances[workspace] = replace(
            balance, available=balance.available - units, reserved=balance.reserved + units
        )
        self._move(workspace, flow, left=units, drawn=units)
        return True

    def charge(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        if self.budgets[workspace, flow].left < units:
            return False
        self._move(workspace, flow, left=-units)
        return True

    def refund(self, workspace: WorkspaceUid, flow: FlowUid, units: int, token: str) -> None:
        if token not in self._tokens:
            self._tokens.add(token)
            self._move(workspace, flow, left=units)

    def reconcile(
        self, workspace: WorkspaceUid, flow: FlowUid, seen: FlowBudget, after: FlowBudget, entry: LedgerEntry | None
    ) -> bool:
        if self.budgets[workspace, flow].changes != seen.changes:
            return False
        self.budgets[workspace, flow] = replace(after, changes=seen.changes + 1)
        returned, booked = seen.drawn - after.drawn, after.settled - seen.settled
        balance = self._balance(workspace)
        self.balances[workspace] = replace(
            balance, available=balance.available + returned, reserved=balance.reserved - returned - booked
        )
        if entry:
            self.ledger[workspace][entry.uid] = entry
        return True

    def _balance(self, workspace: WorkspaceUid) -> Balance:
        return self.balances.get(workspace, Balance())

    def _move(self, workspace: WorkspaceUid, flow: FlowUid, left: int, drawn: int = 0) -> None:
        budget = self.budgets[workspace, flow]
        self.budgets[workspace, flow] = replace(
            budget, left=budget.left + left, drawn=budget.drawn + drawn, changes=budget.changes + 1
        )
