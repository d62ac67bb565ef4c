"""Estimate the AWS cost of a flow: a dated price list and the average usage of each step type.

List prices in US dollars, region us-east-1 (N. Virginia), November 2025, without free tiers and discounts: DynamoDB on
demand (standard table class), SQS (standard queues, first tier), Lambda (arm64, first tier). Their source is public
articles; compare them with aws.amazon.com/<service>/pricing before you rely on the cent. Other regions cost up to 50 %
more.
The fee of a message (SES, SMS …) is the price of its channel and is not included. Nor is any cost without a flow:
storage, logs, API calls and the clock.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import NamedTuple

from chalicelib.model.aws_usage import AwsUsage
from chalicelib.model.graph import Graph, Node
from chalicelib.model.ids import NodeId

PRICES_OF = "2025-11-01"
REGION = "us-east-1"
CURRENCY = "USD"
_MILLION = Decimal(1_000_000)
WRITE_UNIT = Decimal("0.625") / _MILLION
READ_UNIT = Decimal("0.125") / _MILLION
QUEUE_REQUEST = Decimal("0.40") / _MILLION
INVOCATION = Decimal("0.20") / _MILLION
GIGABYTE_SECOND = Decimal("0.0000133334")
#: Precision of a price, in dollars.
_MICRO = Decimal("0.000001")


def price(usage: AwsUsage) -> Decimal:
    """Return the price in dollars, rounded half to even to the millionth."""
    dollars = (
        usage.write_units * WRITE_UNIT
        + usage.read_halves * READ_UNIT / 2
        + usage.queue_requests * QUEUE_REQUEST
        + usage.invocations * INVOCATION
        + usage.megabyte_milliseconds * GIGABYTE_SECOND / 1_024_000
    )
    return dollars.quantize(_MICRO)


class Share(NamedTuple):
    """Average usage for one contact, in the units of `AwsUsage`."""

    write_units: float = 0.0
    read_units: float = 0.0
    queue_requests: float = 0.0
    invocations: float = 0.0
    megabyte_milliseconds: float = 0.0


#: Enrolment (execution and index), first step message, and the count at the end.
ENROLLED = Share(2.06, 0.37, 0.09, 0.03, 2_000.0)
#: Usage by step type, measured on flows of 100 contacts with a provider that answers in 50 ms. A step without an effect
#: (CONDITION, AB_TEST, END) is decided on the way to the next one and costs nothing.
STEPS: Mapping[str, Share] = {
    "SEND": Share(2.2, 2.4, 0.3, 0.1, 60_000.0),
    "WAIT": Share(0.22, 0.2, 0.0, 0.02, 2_000.0),
    "TAG": Share(2.1, 1.3, 0.3, 0.1, 10_000.0),
}
#: A TAG directly after a SEND is processed in the step of the SEND.
TAG_AFTER_SEND = Share(1.05, 0.1, 0.0, 0.0, 2_000.0)


#: Usage of one delivery report: execution, statistics, and an event in the contact's history.
REPORT = Share(5.05, 5.0, 1.2, 0.1, 1_500.0)


def forecast(
    graph: Graph, visits: Mapping[NodeId, float], contacts: int, reporting: Collection[NodeId] = ()
) -> AwsUsage:
    """Estimate the usage of a flow over `contacts` contacts.

    `visits`: share of the contacts, 0 to 1, that pass each node. `reporting`: nodes with delivery reports; each message
    there counts one report.
    """
    shares = [(ENROLLED, 1.0), *((_share(graph, node), visits[node.id]) for node in graph)]
    shares += [(REPORT, visits[node]) for node in reporting]
    writes, reads, requests, invocations, memory = (
        contacts * sum(share[index] * part for share, part in shares) for index in range(len(Share._fields))
    )
    return AwsUsage(round(writes), round(reads * 2), round(requests), round(invocations), round(memory))


def _share(graph: Graph, node: Node) -> Share:
    before = [each.step.type for each in graph if node.id in each.exits.values()]
    follows_send = node.step.type == "TAG" and before and set(before) == {"SEND"}
    return TAG_AFTER_SEND if follows_send else STEPS.get(node.step.type, Share())
