"""What the answers about money look like, as models for OpenAPI."""

from chalicelib.model.balance import Alerts, LedgerEntryKind
from chalicelib.model.base import Moment, StrictModel


class BalanceResponse(StrictModel):
    """`reserved` is what flows have drawn and no count of their rows has booked yet; `total` is both together."""

    free: str
    reserved: str
    total: str
    currency: str
    is_low: bool
    alerts: Alerts


class TransactionResponse(StrictModel):
    """One line of the ledger; `amount` is negative for what a flow has spent, positive for what is taken back of it."""

    uid: str
    type: LedgerEntryKind
    amount: str
    currency: str
    flow_uid: str | None
    note: str | None
    at: Moment


class UnitsResponse(StrictModel):
    """What is asked of AWS: DynamoDB's request units, SQS requests, Lambda's invocations and time times memory."""

    write_units: int
    read_units: float
    queue_requests: int
    invocations: int
    gigabyte_seconds: float


class AwsCostResponse(StrictModel):
    """By the list prices of a day, without free tiers and discounts; what carries the messages is not in it."""

    amount: str
    currency: str
    prices_of: str
    region: str
    units: UnitsResponse


class TopUpResponse(StrictModel):
    """An amount of money."""

    amount: str
    currency: str


class CostResponse(StrictModel):
    """What a flow's messages have cost by the channels' prices, and what AWS takes beside that."""

    messages: TopUpResponse
    aws: AwsCostResponse
