"""The prepaid balance of a workspace, the budgets of its flows, and the ledger."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from chalicelib.model.base import StrictModel
from chalicelib.model.money import Amount, read_money

#: Limit of automatic top-ups per day (UTC). It bounds the charges on an unattended account.
RELOADS_A_DAY = 3


class AutoReload(StrictModel):
    """Automatic top-up: credit `amount` when less than `threshold` is available, at most three times a day (UTC).

    A top-up never resumes a flow.
    """

    enabled: bool = False
    """Whether the balance is topped up automatically; default false."""
    threshold: Amount = "0"
    """Top up when less than this amount is available, as a decimal string."""
    amount: Amount = "0"
    """Amount of one automatic top-up, as a decimal string; above 0 while enabled."""

    @model_validator(mode="after")
    def _check_amount(self) -> Self:
        if self.enabled and read_money(self.amount) == 0:
            raise ValueError("amount must be more than 0 while automatic top-up is enabled")
        return self

    def is_due(self, available: int) -> bool:
        """Report whether the available balance, in units of `model/money`, is below the threshold."""
        return self.enabled and available < read_money(self.threshold)


class Alerts(StrictModel):
    """Alert thresholds. `lowBalance`: alert when less than this is available; null means never."""

    low_balance: Amount | None = None
    """Alert when less than this amount is available; null never alerts."""


class BillingSettings(StrictModel):
    """Settings of a balance that an operator can change."""

    auto_reload: AutoReload = AutoReload()
    alerts: Alerts = Alerts()


@dataclass(frozen=True, slots=True)
class ReloadCounter:
    """The number of automatic top-ups on a day, such as `2026-03-02`."""

    day: str = ""
    count: int = 0

    def on(self, day: str) -> int:
        """Return the number of top-ups on this day."""
        return self.count if self.day == day else 0


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of a workspace, in units of `model/money`.

    `reserved` is held in the budgets of flows and not yet booked as spent.
    """

    available: int = 0
    reserved: int = 0
    settings: BillingSettings = field(default_factory=BillingSettings)
    reloads: ReloadCounter = field(default_factory=ReloadCounter)
    #: How often the low-balance alert was raised, and whether it was raised since the last payment.
    low_count: int = 0
    low_reported: bool = False

    @property
    def is_low(self) -> bool:
        """Report whether the available balance is below the alert threshold."""
        alert = self.settings.alerts.low_balance
        return alert is not None and self.available < read_money(alert)


@dataclass(frozen=True, slots=True)
class FlowBudget:
    """The prepaid budget of a flow, in units of `model/money`.

    `left` of the `drawn` amount is not charged to any batch; `settled` of it is booked as spent. `changes` counts the
    changes of the budget, so that a recount notices a change during its pass.
    """

    left: int = 0
    drawn: int = 0
    settled: int = 0
    changes: int = 0


class LedgerEntryKind(StrEnum):
    """The reason for a change of the balance: payment, automatic top-up, or messages of a flow."""

    TOPUP = "topup"
    RELOAD = "reload"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry of the ledger. `units` is negative for spent money. All entries add up to the total balance."""

    uid: str
    kind: LedgerEntryKind
    units: int
    at: datetime
    flow: str = ""
    note: str = ""


class TopUp(StrictModel):
    """Request body of `POST /v1/balance/topup`."""

    amount: Annotated[Amount, Field(examples=["100.00"])]
    """Amount to credit in the workspace's currency, as a decimal string."""
    note: Annotated[str, Field(max_length=200)] = ""
    """Free text for the ledger."""

    @model_validator(mode="after")
    def _check_amount(self) -> Self:
        if read_money(self.amount) == 0:
            raise ValueError("amount must be more than 0")
        return self
