"""The prepaid budget of a workspace: what is free, what flows have drawn of it, and the ledger of both."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from chalicelib.model.base import StrictModel
from chalicelib.model.money import Amount, read_money

#: Reloads on one day (UTC): what an automatic payment may do at most while nobody looks.
RELOADS_A_DAY = 3


class AutoReload(StrictModel):
    """Credits `amount` when less than `threshold` is free, three times a day at most. It never resumes a flow."""

    enabled: bool = False
    threshold: Amount = "0"
    amount: Amount = "0"

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if self.enabled and read_money(self.amount) == 0:
            raise ValueError("an amount of 0 reloads nothing")
        return self

    def is_due(self, free: int) -> bool:
        """Whether so many free units are too few."""
        return self.enabled and free < read_money(self.threshold)


class Alerts(StrictModel):
    """The balance reads as low when less than this is free; None is never."""

    low_balance: Amount | None = None


class BillingSettings(StrictModel):
    """What an operator says of a balance."""

    auto_reload: AutoReload = AutoReload()
    alerts: Alerts = Alerts()


@dataclass(frozen=True, slots=True)
class ReloadCounter:
    """How many there were on a day, `2026-03-02`."""

    day: str = ""
    count: int = 0

    def on(self, day: str) -> int:
        """Of this day."""
        return self.count if self.day == day else 0


@dataclass(frozen=True, slots=True)
class Balance:
    """Units of `model/money`. `reserved` is what flows have drawn and no count of their rows has booked yet."""

    free: int = 0
    reserved: int = 0
    settings: BillingSettings = field(default_factory=BillingSettings)
    reloads: ReloadCounter = field(default_factory=ReloadCounter)
    #: How often it was told that it is low, and whether that was since the last payment.
    low_count: int = 0
    low_told: bool = False

    @property
    def is_low(self) -> bool:
        """By the alert that is set."""
        alert = self.settings.alerts.low_balance
        return alert is not None and self.free < read_money(alert)


@dataclass(frozen=True, slots=True)
class FlowBudget:
    """What one flow has of the balance. `left` of `drawn` is not taken by any batch; `settled` of it is booked.

    `takes` counts what moves the purse, so that a count of the rows knows whether it moved meanwhile.
    """

    left: int = 0
    drawn: int = 0
    settled: int = 0
    takes: int = 0


class LedgerEntryKind(StrEnum):
    """Why the balance changed: paid in, paid in by itself, spent by a flow."""

    TOPUP = "topup"
    RELOAD = "reload"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the ledger; `units` are negative for what was spent. The sum of all is the total."""

    uid: str
    kind: LedgerEntryKind
    units: int
    at: datetime
    flow: str = ""
    note: str = ""


class TopUp(StrictModel):
    """The body of `POST /v1/balance/topup`."""

    amount: Annotated[Amount, Field(examples=["100.00"])]
    note: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if read_money(self.amount) == 0:
            raise ValueError("amount must be more than 0")
        return self
