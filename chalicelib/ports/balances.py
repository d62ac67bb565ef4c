"""The prepaid budget of workspaces, and what each flow has drawn of it."""

from typing import Protocol

from chalicelib.model.balance import Balance, BillingSettings, FlowBudget, LedgerEntry, ReloadCounter
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports.pages import Page


class Balances(Protocol):
    """All sums in units of `model/money`; none of them is ever negative."""

    def find(self, workspace: WorkspaceUid) -> Balance | None:
        """Strongly consistent; None for a workspace that never paid in."""

    def credit(self, workspace: WorkspaceUid, entry: LedgerEntry) -> None:
        """Adds to what is free, and to the ledger; the same entry counts once."""

    def reload(self, workspace: WorkspaceUid, entry: LedgerEntry, seen: ReloadCounter, then: ReloadCounter) -> bool:
        """The same by itself: False when there was another reload since `seen`."""

    def mark_low(self, workspace: WorkspaceUid, count: int) -> bool:
        """It was told that it is low, after `count` times before; False if that is known. A credit undoes it."""

    def configure(self, workspace: WorkspaceUid, settings: BillingSettings) -> Balance:
        """Replaces the settings; makes a balance of nothing where there is none. What is low is told anew."""

    def entries(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[LedgerEntry]:
        """The ledger, newest first."""

    def find_purse(self, workspace: WorkspaceUid, flow: FlowUid) -> FlowBudget:
        """Strongly consistent; an empty one for a flow that has drawn nothing."""

    def draw(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        """Moves free units into the flow's purse, all or nothing; False when fewer are free."""

    def take(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        """Takes out of the purse, all or nothing, by one write; a lost answer may take too much, never too little."""

    def give_back(self, workspace: WorkspaceUid, flow: FlowUid, units: int, token: str) -> None:
        """Puts back into the purse what a batch took and did not spend; the same token counts once."""

    def settle(
        self, workspace: WorkspaceUid, flow: FlowUid, seen: FlowBudget, after: FlowBudget, entry: LedgerEntry | None
    ) -> bool:
        """The purse as a count of the rows says; what it no longer holds is free. False when it moved since `seen`."""
