"""Response models of the balance, its ledger, and the cost of flows."""

from chalicelib.core.billing import aws_cost
from chalicelib.core.reporting.describe_flow import FlowDescription
from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.balance import Alerts, Balance, LedgerEntry, LedgerEntryKind
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.money import write_money


class BalanceResponse(StrictModel):
    """The prepaid balance of a workspace."""

    free: str
    """Amount that new flows may draw, as a decimal string."""
    reserved: str
    """Amount that running flows have drawn and that no recount has charged yet, as a decimal string."""
    total: str
    """Sum of `free` and `reserved`, as a decimal string."""
    currency: str
    """Currency of the workspace: an ISO 4217 code such as `EUR`."""
    is_low: bool
    """Whether `free` is below the threshold of `alerts`."""
    alerts: Alerts
    """When the balance counts as low."""


class TransactionResponse(StrictModel):
    """An entry of the ledger."""

    uid: str
    """Identifier of the ledger entry."""
    type: LedgerEntryKind
    """Reason for the entry: a top-up, an automatic reload, or the spending of a flow."""
    amount: str
    """Decimal string. Negative for an amount that a flow has spent, positive for a top-up or a refund."""
    currency: str
    """Currency of the workspace: an ISO 4217 code such as `EUR`."""
    flow_uid: str | None
    """Flow that spent the amount or got it back; null for a top-up."""
    note: str | None
    """Text that was sent with the top-up; null if there was none."""
    at: Moment
    """Time at which the entry was written."""


class UnitsResponse(StrictModel):
    """Usage of AWS services."""

    write_units: int
    """DynamoDB write request units."""
    read_units: float
    """DynamoDB read request units."""
    queue_requests: int
    """Number of requests to SQS."""
    invocations: int
    """Number of Lambda invocations."""
    gigabyte_seconds: float
    """Lambda duration times memory, in GB-seconds, rounded to 3 decimals."""


class AwsCostResponse(StrictModel):
    """Cost of AWS services by list prices, without free tiers and discounts. The price of messages is not included."""

    amount: str
    """Cost in `currency`, as a decimal string."""
    currency: str
    """Currency of the AWS price list: always `USD`."""
    prices_of: str
    """Date of the AWS price list, as YYYY-MM-DD."""
    region: str
    """AWS region whose prices are used."""
    units: UnitsResponse
    """Usage that the amount is calculated from."""


class AmountResponse(StrictModel):
    """An amount of money."""

    amount: str
    """Decimal string, for example `12.50`."""
    currency: str
    """ISO 4217 code such as `EUR`."""


class CostResponse(StrictModel):
    """Cost of a flow: its messages, and the AWS services that it uses."""

    messages: AmountResponse
    """Cost of the messages by the prices of their channels."""
    aws: AwsCostResponse
    """Cost of the AWS services, which the workspace's balance does not pay."""


def balance_response(balance: Balance, currency: str) -> BalanceResponse:
    """Return a balance."""
    return BalanceResponse(
        free=write_money(balance.available),
        reserved=write_money(balance.reserved),
        total=write_money(balance.available + balance.reserved),
        currency=currency,
        is_low=balance.is_low,
        alerts=balance.settings.alerts,
    )


def transaction_response(entry: LedgerEntry, currency: str) -> TransactionResponse:
    """Return a ledger entry."""
    return TransactionResponse(
        uid=entry.uid,
        type=entry.kind,
        amount=write_money(entry.units),
        currency=currency,
        flow_uid=entry.flow or None,
        note=entry.note or None,
        at=entry.at,
    )


def cost_response(described: FlowDescription) -> CostResponse:
    """Return the cost of a flow."""
    spent = write_money(described.counters.get("spent", 0))
    messages = AmountResponse(amount=spent, currency=described.currency)
    return CostResponse(messages=messages, aws=aws_cost_response(described.used))


def aws_cost_response(usage: AwsUsage) -> AwsCostResponse:
    """Return the cost of AWS usage in US dollars, and the usage itself."""
    return AwsCostResponse(
        amount=f"{aws_cost.price(usage):f}",
        currency=aws_cost.CURRENCY,
        prices_of=aws_cost.PRICES_OF,
        region=aws_cost.REGION,
        units=UnitsResponse(
            write_units=usage.write_units,
            read_units=usage.read_units,
            queue_requests=usage.queue_requests,
            invocations=usage.invocations,
            gigabyte_seconds=round(usage.gigabyte_seconds, 3),
        ),
    )
