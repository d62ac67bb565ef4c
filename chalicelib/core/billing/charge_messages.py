"""Charge a batch of messages to the budget of its flow. The budget is filled from the balance in chunks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from chalicelib.core.campaigns.compiled_version import channels_of
from chalicelib.core.notifications.raise_alert import raise_low_balance_alert
from chalicelib.errors import InsufficientBalance
from chalicelib.model.balance import RELOADS_A_DAY, Balance, LedgerEntry, LedgerEntryKind, ReloadCounter
from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid, WorkspaceUid, new_uid
from chalicelib.model.money import read_money, write_money
from chalicelib.ports import Ports

#: Batches that one chunk pays for. A larger chunk means fewer writes of the balance, but less is left for other flows.
CHUNK = 10
#: Attempts against concurrent charges of the same flow and of other flows of the workspace.
TRIES = 8


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The number of messages that were charged."""

    count: int
    #: Whether the alert about a low balance was raised now.
    low: bool = False


def withdraw(ports: Ports, workspace: WorkspaceUid, flow: FlowUid, costs: Sequence[int]) -> Withdrawal:
    """Charge as many messages as the balance covers, from the first on. `costs` are in millionths of the currency."""
    sums, low = list(accumulate(costs, initial=0)), False
    if not sums[-1] or ports.budgets.charge(workspace, flow, sums[-1]):
        return Withdrawal(len(costs))
    for _ in range(TRIES):
        low |= _fill(ports, workspace, flow, sums[-1])
        left = ports.budgets.find_budget(workspace, flow).left
        paid = max(count for count, total in enumerate(sums) if total <= left)
        if not sums[paid] or ports.budgets.charge(workspace, flow, sums[paid]):
            return Withdrawal(paid, low)
    return Withdrawal(0, low)


def _fill(ports: Ports, workspace: WorkspaceUid, flow: FlowUid, wanted: int) -> bool:
    """Reserve a chunk of the balance for the flow, or all that is available. Returns whether the alert was raised."""
    left = ports.budgets.find_budget(workspace, flow).left
    if left >= wanted:
        return False
    balance = ports.balances.find(workspace) or Balance()
    if balance.settings.auto_reload.is_due(balance.available - (wanted - left)):
        balance = _reload(ports, workspace, balance)
    chunk = min(balance.available, wanted * CHUNK)
    if chunk > 0 and ports.budgets.reserve(workspace, flow, chunk):
        balance = replace(balance, available=balance.available - chunk, reserved=balance.reserved + chunk)
    return raise_low_balance_alert(ports, workspace, balance)


def _reload(ports: Ports, workspace: WorkspaceUid, balance: Balance) -> Balance:
    """Reload the balance once, if the daily limit allows it. Of concurrent reloads only one takes effect."""
    now, reload = ports.clock.now(), balance.settings.auto_reload
    day = now.date().isoformat()
    count = balance.reloads.on(day)
    if count >= RELOADS_A_DAY:
        return balance
    entry = LedgerEntry(new_uid(), LedgerEntryKind.RELOAD, read_money(reload.amount), now)
    ports.balances.reload(workspace, entry, balance.reloads, ReloadCounter(day, count + 1))
    return ports.balances.find(workspace) or balance


def check_funds(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Raise InsufficientBalance if a prepaid flow cannot pay its most expensive message once."""
    balance = ports.balances.find(workspace) or Balance()
    states = [ports.circuits.find_channel(workspace, uid) for uid in channels_of(ports, workspace, flow)]
    prices = [price for each in states if each for price in each.channel.prices.values()]
    needed = max(map(read_money, prices), default=0)
    available = balance.available + ports.budgets.find_budget(workspace, FlowUid(flow.uid)).left
    if available < needed:
        raise InsufficientBalance(write_money(available), write_money(needed))
