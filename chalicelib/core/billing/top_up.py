"""Pays into the balance of a workspace; no flow goes on by it."""

from chalicelib.core.notifications.raise_alert import raise_low_balance_alert
from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.balance import Alerts, AutoReload, Balance, LedgerEntry, LedgerEntryKind, TopUp
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.money import read_money
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

_TRIES = 5


def top_up(ports: Ports, workspace: WorkspaceUid, wish: TopUp, uid: str) -> Balance:
    """`uid` is the entry's: the same one counts once. From the first on new flows are paid from the balance."""
    entry = LedgerEntry(uid, LedgerEntryKind.TOPUP, read_money(wish.amount), ports.clock.now(), note=wish.note)
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
    raise RetryLater("The workspace is being changed by others, try again")


def find_balance(ports: Ports, workspace: WorkspaceUid) -> Balance:
    """Nothing, for a workspace that never paid in."""
    return ports.balances.find(workspace) or Balance()


def set_auto_reload(ports: Ports, workspace: WorkspaceUid, auto_reload: AutoReload) -> Balance:
    """Does nothing until a flow draws and finds too little."""
    settings = find_balance(ports, workspace).settings
    return ports.balances.configure(workspace, settings.model_copy(update={"auto_reload": auto_reload}))


def set_alerts(ports: Ports, workspace: WorkspaceUid, alerts: Alerts) -> Balance:
    """From when on the balance reads as low."""
    settings = find_balance(ports, workspace).settings
    balance = ports.balances.configure(workspace, settings.model_copy(update={"alerts": alerts}))
    raise_low_balance_alert(ports, workspace, balance)
    return balance
