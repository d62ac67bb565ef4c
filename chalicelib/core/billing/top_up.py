"""Top up the balance of a workspace and change its settings. Paused flows stay paused."""

from chalicelib.core.notifications.raise_alert import raise_low_balance_alert
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.balance import Alerts, AutoReload, Balance, LedgerEntry, LedgerEntryKind, TopUp
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.money import read_money
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

_TRIES = 5


def top_up(ports: Ports, workspace: WorkspaceUid, request: TopUp, uid: str) -> Balance:
    """Add an amount to the balance. `uid` identifies the ledger entry, so a repeated call adds it once.

    After the first top-up new flows are prepaid from the balance.
    """
    entry = LedgerEntry(uid, LedgerEntryKind.TOPUP, read_money(request.amount), ports.clock.now(), note=request.note)
    ports.balances.credit(workspace, entry)
    _mark_prepaid(ports, workspace)
    return find_balance(ports, workspace)


def _mark_prepaid(ports: Ports, workspace: WorkspaceUid) -> None:
    for _ in range(_TRIES):
        stored = ports.catalog.get(workspace, Workspace, workspace)
        if stored.prepaid:
            return
        try:
            ports.catalog.save(workspace, stored.model_copy(update={"prepaid": True}))
        except Conflict:
            continue
        return
    raise RetryLater("The workspace was changed at the same time; try again")


def find_balance(ports: Ports, workspace: WorkspaceUid) -> Balance:
    """Return the balance, which is empty for a workspace without a top-up."""
    return ports.balances.find(workspace) or Balance()


def set_auto_reload(ports: Ports, workspace: WorkspaceUid, auto_reload: AutoReload) -> Balance:
    """Set the automatic reload. It takes effect when a flow reserves more than is available."""
    settings = find_balance(ports, workspace).settings
    return ports.balances.configure(workspace, settings.model_copy(update={"auto_reload": auto_reload}))


def set_alerts(ports: Ports, workspace: WorkspaceUid, alerts: Alerts) -> Balance:
    """Set the thresholds of the low-balance alert, and raise the alert if the balance is below one now."""
    settings = find_balance(ports, workspace).settings
    balance = ports.balances.configure(workspace, settings.model_copy(update={"alerts": alerts}))
    raise_low_balance_alert(ports, workspace, balance)
    return balance
