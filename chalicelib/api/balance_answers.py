"""What the answers about a balance look like, as models for OpenAPI."""

from chalicelib.model.balance import Alerts, EntryKind
from chalicelib.model.base import Moment, Outside


class BalanceShown(Outside):
    """`reserved` is what flows have drawn and no count of their rows has booked yet; `total` is both together."""

    free: str
    reserved: str
    total: str
    currency: str
    is_low: bool
    alerts: Alerts


class TransactionShown(Outside):
    """One line of the ledger; `amount` is negative for what a flow has spent."""

    uid: str
    type: EntryKind
    amount: str
    currency: str
    flow_uid: str | None
    note: str | None
    at: Moment
