"""What a batch pays before it claims: out of the flow's purse, which is filled from the balance in chunks."""

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

#: Batches that a purse is filled for: so often less is the balance written, and so much less do other flows find.
CHUNK = 10
#: Tries against other batches of the flow and other flows of the workspace; each of which moves something.
TRIES = 8


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How many messages are paid for; `low`: whether it was told now that little is left."""

    count: int
    low: bool = False


def withdraw(ports: Ports, workspace: WorkspaceUid, flow: FlowUid, costs: Sequence[int]) -> Withdrawal:
    """Takes the cost of as many messages as can be paid for, from the first on."""
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
    """A chunk, or all that is free where that is less; whether it was told by this that little is left."""
    left = ports.budgets.find_budget(workspace, flow).left
    if left >= wanted:
        return False
    balance = ports.balances.find(workspace) or Balance()
    if balance.settings.auto_reload.is_due(balance.free - (wanted - left)):
        balance = _reload(ports, workspace, balance)
    chunk = min(balance.free, wanted * CHUNK)
    if chunk > 0 and ports.budgets.reserve(workspace, flow, chunk):
        balance = replace(balance, free=balance.free - chunk, reserved=balance.reserved + chunk)
    return raise_low_balance_alert(ports, workspace, balance)


def _reload(ports: Ports, workspace: WorkspaceUid, balance: Balance) -> Balance:
    """Once, and not more often than a day allows; of two at a time one does it."""
    now, reload = ports.clock.now(), balance.settings.auto_reload
    day = now.date().isoformat()
    done = balance.reloads.on(day)
    if done >= RELOADS_A_DAY:
        return balance
    entry = LedgerEntry(new_uid(), LedgerEntryKind.RELOAD, read_money(reload.amount), now)
    ports.balances.reload(workspace, entry, balance.reloads, ReloadCounter(day, done + 1))
    return ports.balances.find(workspace) or balance


def check_funds(ports: Ports, workspace: WorkspaceUid, flow: Flow) -> None:
    """Raises InsufficientBalance when a flow that is to be paid for could not send its dearest message even once."""
    balance = ports.balances.find(workspace) or Balance()
    standings = [ports.circuits.find_channel(workspace, uid) for uid in channels_of(ports, workspace, flow)]
    prices = [price for each in standings if each for price in each.channel.prices.values()]
    needed = max(map(read_money, prices), default=0)
    at_hand = balance.free + ports.budgets.find_budget(workspace, FlowUid(flow.uid)).left
    if at_hand < needed:
        raise InsufficientBalance(write_money(at_hand), write_money(needed))
