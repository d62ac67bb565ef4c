"""Helpers for tests of a prepaid workspace: top-up, ledger check, and a port that kills its worker."""

from collections.abc import Callable
from typing import Any

from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid
from tests.integration.harness import Story

PRICE = 10_000
CENT = {"prices": {"MESSAGE": "0.01"}}


class WorkerKilled(BaseException):
    """Simulates the crash of a worker."""


def prepay(story: Story, amount: str, contacts: int) -> None:
    """Create a channel that costs 0.01 per message, contacts, and a balance of `amount`."""
    story.set_up(contacts=contacts)
    body = {"name": "Console", "type": "console", **CENT}
    story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))
    top_up(story, amount)


def top_up(story: Story, amount: str) -> Any:
    """Top up the balance."""
    return story.expect(201, story.api.post("/v1/balance/topup", {"amount": amount}))


def balance_of(story: Story) -> tuple[str, str]:
    """Return what is available and what is reserved."""
    shown = story.expect(200, story.api.get("/v1/balance"))
    return shown["free"], shown["reserved"]


def check_ledger(story: Story, paid_in: int) -> None:
    """Assert that the balance equals its ledger, that nothing is negative, and that no money appears or disappears."""
    ports, workspace = story.world.ports, story.api.workspace
    balances = ports.balances
    balance = balances.find(workspace)
    assert balance
    assert balance.available >= 0
    assert balance.reserved >= 0
    assert balance.available + balance.reserved == sum(
        entry.units for entry in balances.list_entries(workspace, 100, None).items
    )
    flows = ports.catalog.page(workspace, Flow, {}, 100, None).items
    budgets = [ports.budgets.find_budget(workspace, FlowUid(flow.uid)) for flow in flows]
    assert all(budget.left >= 0 for budget in budgets)
    assert balance.available + sum(budget.drawn for budget in budgets) == paid_in


class KillingPort:
    """A port that kills its worker once, in one method, before or after the call takes effect."""

    def __init__(self, port: object, method: str, after: bool) -> None:
        self._port, self._method, self._after, self.died = port, method, after, False

    def __getattr__(self, name: str) -> Any:
        attribute: Callable[..., Any] = getattr(self._port, name)
        if name != self._method or self.died:
            return attribute

        def kill(*arguments: Any, **named: Any) -> Any:
            self.died = True
            if self._after:
                attribute(*arguments, **named)
            raise WorkerKilled

        return kill
