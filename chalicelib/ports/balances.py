"""The ports of prepaid money: the balance of a workspace, and the budget that each flow has reserved from it.

All amounts are in units of `model/money`. No amount is negative.
"""

from typing import Protocol

from chalicelib.model.balance import Balance, BillingSettings, FlowBudget, LedgerEntry, ReloadCounter
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports.pages import Page


class Balances(Protocol):
    """The balance of a workspace and its ledger."""

    def find(self, workspace: WorkspaceUid) -> Balance | None:
        """Return the balance, strongly consistent; None for a workspace that has never paid in."""

    def credit(self, workspace: WorkspaceUid, entry: LedgerEntry) -> None:
        """Add an entry to the ledger and its amount to the available balance. A repeated entry changes nothing."""

    def reload(self, workspace: WorkspaceUid, entry: LedgerEntry, seen: ReloadCounter, then: ReloadCounter) -> bool:
        """Credit an automatic top-up. False if another one has happened since `seen` was read."""

    def mark_low(self, workspace: WorkspaceUid, count: int) -> bool:
        """Record that the low-balance alert was raised, after `count` earlier ones.

        False if another worker has recorded it. A credit clears the mark.
        """

    def configure(self, workspace: WorkspaceUid, settings: BillingSettings) -> Balance:
        """Replace the billing settings and clear the low-balance mark; creates a missing balance."""

    def list_entries(self, workspace: WorkspaceUid, limit: int, cursor: str | None) -> Page[LedgerEntry]:
        """List the ledger, newest first."""


class FlowBudgets(Protocol):
    """The budget of each prepaid flow: money reserved from the balance, from which messages are charged."""

    def find_budget(self, workspace: WorkspaceUid, flow: FlowUid) -> FlowBudget:
        """Return the budget, strongly consistent; an empty one for a flow that has reserved nothing."""

    def reserve(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        """Move available money of the workspace into the budget, all or nothing. False if too little is available."""

    def charge(self, workspace: WorkspaceUid, flow: FlowUid, units: int) -> bool:
        """Charge the budget by a single write, all or nothing. False if too little is left.

        After a lost response the budget may be charged twice, but never not at all. A recount corrects it.
        """

    def refund(self, workspace: WorkspaceUid, flow: FlowUid, units: int, token: str) -> None:
        """Refund the unspent part of a charge. Repeated calls with one token refund once."""

    def reconcile(
        self, workspace: WorkspaceUid, flow: FlowUid, seen: FlowBudget, after: FlowBudget, entry: LedgerEntry | None
    ) -> bool:
        """Replace the budget by the result of a recount and return the rest to the available balance.

        `entry` is added to the ledger. False if the budget has moved since `seen` was read.
        """
