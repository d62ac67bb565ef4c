"""Contract of `ports.Balances` and `ports.FlowBudgets`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

import pytest

from chalicelib.aws.balances import DynamoBalances
from chalicelib.model.balance import (
    Alerts,
    AutoReload,
    Balance,
    BillingSettings,
    FlowBudget,
    LedgerEntry,
    LedgerEntryKind,
    ReloadCounter,
)
from chalicelib.model.ids import FlowUid, WorkspaceUid
from chalicelib.ports import Balances, FlowBudgets
from tests.builders import NOW
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.memory.balances import MemoryBalances


class BalanceStore(Balances, FlowBudgets, Protocol):
    """The ports that one adapter implements."""


W, F = WorkspaceUid("w1"), FlowUid("f1")
PAID = LedgerEntry("01A", LedgerEntryKind.TOPUP, 1_000_000, NOW, note="Invoice 7")


@dataclass
class Stores:
    name: str
    balances: BalanceStore
    client: Any = None

    def free(self) -> int:
        balance = self.balances.find(W)
        return balance.available if balance else 0


@pytest.fixture(params=PLACES)
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return Stores("memory", MemoryBalances())
    aws = ProvisionedAws(request.param)
    client = aws.client("dynamodb")
    return Stores(request.param, DynamoBalances(client, aws.names["CATALOG_TABLE"]), client)


@pytest.fixture
def balances(stores: Stores) -> BalanceStore:
    return stores.balances


def test_who_never_paid_in_has_no_balance(balances: BalanceStore) -> None:
    assert balances.find(W) is None
    assert balances.find_budget(W, F) == FlowBudget()
    assert balances.list_entries(W, 10, None).items == ()


def test_the_same_entry_counts_once(balances: BalanceStore) -> None:
    for _ in range(2):
        balances.credit(W, PAID)
    assert balances.find(W) == Balance(available=1_000_000)
    assert balances.list_entries(W, 10, None).items == (PAID,)
    assert balances.find(WorkspaceUid("w2")) is None


def test_a_flow_draws_all_or_nothing_and_never_more_than_is_free(balances: BalanceStore) -> None:
    assert not balances.reserve(W, F, 1)
    balances.credit(W, PAID)
    assert balances.reserve(W, F, 600_000)
    assert not balances.reserve(W, F, 400_001)
    assert balances.reserve(W, FlowUid("f2"), 400_000)
    assert balances.find(W) == Balance(available=0, reserved=1_000_000)
    purse = balances.find_budget(W, F)
    assert (purse.left, purse.drawn, purse.settled) == (600_000, 600_000, 0)


def test_a_batch_takes_all_or_nothing_of_what_its_flow_has(balances: BalanceStore) -> None:
    assert not balances.charge(W, F, 1)
    balances.credit(W, PAID)
    balances.reserve(W, F, 100)
    assert balances.charge(W, F, 60)
    assert not balances.charge(W, F, 41)
    assert balances.charge(W, F, 40)
    assert balances.find_budget(W, F).left == 0


def test_whatever_moves_a_purse_is_counted(balances: BalanceStore) -> None:
    balances.credit(W, PAID)
    moves = [balances.find_budget(W, F).changes]
    balances.reserve(W, F, 100)
    moves.append(balances.find_budget(W, F).changes)
    balances.charge(W, F, 60)
    moves.append(balances.find_budget(W, F).changes)
    balances.refund(W, F, 10, "batch")
    moves.append(balances.find_budget(W, F).changes)
    assert len(set(moves)) == 4


def test_what_is_given_back_counts_once(stores: Stores) -> None:
    stores.balances.credit(W, PAID)
    stores.balances.reserve(W, F, 100)
    stores.balances.charge(W, F, 60)
    stores.balances.refund(W, F, 10, "batch")
    assert stores.balances.find_budget(W, F).left == 50
    if stores.name == "moto":
        pytest.skip("moto ignores ClientRequestToken")
    stores.balances.refund(W, F, 10, "batch")
    assert stores.balances.find_budget(W, F).left == 50


def test_a_count_books_what_was_spent_and_frees_the_rest(balances: BalanceStore) -> None:
    balances.credit(W, PAID)
    balances.reserve(W, F, 100_000)
    balances.charge(W, F, 60_000)
    seen = balances.find_budget(W, F)
    spent = LedgerEntry("01B", LedgerEntryKind.SPENT, -30_000, NOW + timedelta(seconds=1), F)
    assert balances.reconcile(W, F, seen, FlowBudget(0, 50_000, 30_000), spent)
    assert balances.find(W) == Balance(available=950_000, reserved=20_000)
    after = balances.find_budget(W, F)
    assert (after.left, after.drawn, after.settled) == (0, 50_000, 30_000)
    assert after.changes != seen.changes
    assert balances.list_entries(W, 10, None).items == (spent, PAID)


def test_a_count_of_a_purse_that_moved_changes_nothing(balances: BalanceStore) -> None:
    balances.credit(W, PAID)
    balances.reserve(W, F, 100)
    seen = balances.find_budget(W, F)
    balances.charge(W, F, 60)
    moved = balances.find_budget(W, F)
    entry = LedgerEntry("01B", LedgerEntryKind.SPENT, -1, NOW, F)
    assert not balances.reconcile(W, F, seen, FlowBudget(), entry)
    assert balances.find_budget(W, F) == moved
    assert balances.find(W) == Balance(available=999_900, reserved=100)
    assert balances.list_entries(W, 10, None).items == (PAID,)


def test_of_two_reloads_one_happens(balances: BalanceStore) -> None:
    balances.credit(W, PAID)
    first, second = ReloadCounter("2026-03-02", 1), ReloadCounter("2026-03-02", 2)
    assert balances.reload(W, replace(PAID, uid="01B", kind=LedgerEntryKind.RELOAD), ReloadCounter(), first)
    assert not balances.reload(W, replace(PAID, uid="01C", kind=LedgerEntryKind.RELOAD), ReloadCounter(), first)
    assert balances.find(W) == Balance(available=2_000_000, reloads=first)
    assert balances.reload(W, replace(PAID, uid="01D", kind=LedgerEntryKind.RELOAD), first, second)
    assert [entry.uid for entry in balances.list_entries(W, 10, None).items] == ["01D", "01B", "01A"]


def test_settings_are_kept_and_move_no_money(balances: BalanceStore) -> None:
    reload = AutoReload(enabled=True, threshold="10", amount="50")
    settings = BillingSettings(auto_reload=reload, alerts=Alerts(low_balance="5"))
    assert balances.configure(W, settings).settings == settings
    balances.credit(W, PAID)
    assert balances.find(W) == Balance(available=1_000_000, settings=settings)


def test_the_ledger_is_read_in_pages(balances: BalanceStore) -> None:
    for number in range(5):
        balances.credit(W, replace(PAID, uid=f"01{number}"))
    first = balances.list_entries(W, 2, None)
    second = balances.list_entries(W, 2, first.cursor)
    third = balances.list_entries(W, 2, second.cursor)
    uids = [entry.uid for page in (first, second, third) for entry in page.items]
    assert (uids, third.cursor) == (["014", "013", "012", "011", "010"], None)


@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
def test_a_lost_answer_never_makes_money(
    stores: Stores, operation: str, lose_answer: Callable[[Any, str], None]
) -> None:
    if stores.client is None:
        pytest.skip("no answers are lost in memory")
    stores.balances.credit(W, PAID)
    stores.balances.reserve(W, F, 100)
    lose_answer(stores.client, operation)
    with pytest.raises(Exception, match="reached"):
        stores.balances.reserve(W, F, 50) if operation == "TransactWriteItems" else stores.balances.charge(W, F, 50)
    purse = stores.balances.find_budget(W, F)
    assert stores.free() + purse.left <= 1_000_000
    assert stores.free() + purse.drawn == 1_000_000


def test_that_a_balance_is_low_is_marked_once_until_money_comes_in(balances: BalanceStore) -> None:
    balances.credit(W, PAID)
    assert [balances.mark_low(W, 0), balances.mark_low(W, 0)] == [True, False]
    known = balances.find(W)
    assert known
    assert (known.low_count, known.low_reported) == (1, True)
    balances.credit(W, replace(PAID, uid="02A"))
    known = balances.find(W)
    assert known
    assert (known.low_count, known.low_reported) == (1, False)
    assert [balances.mark_low(W, 0), balances.mark_low(W, 1)] == [False, True]
    assert not balances.configure(W, BillingSettings()).low_reported
