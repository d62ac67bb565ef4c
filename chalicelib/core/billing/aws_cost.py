"""What a flow costs on AWS, beside its messages: a price list with its date, and what steps ask for on the average.

List prices in US dollars, region us-east-1 (N. Virginia), November 2025, without free tiers and discounts: DynamoDB on
demand (standard table class), SQS (standard queues, first tier), Lambda (arm64, first tier). They are those that public
articles quote; AWS's own price pages (aws.amazon.com/<service>/pricing) were not within reach, so compare them before
you rely on the cent. Other regions cost up to a half more.
What carries a message (SES, SMS …) is the price of its channel and not in here; nor is what belongs to no single flow:
storage, logs, the API's calls and the clock's.
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
#: Millionths of a dollar are shown.
_MICRO = Decimal("0.000001")


def price(usage: AwsUsage) -> Decimal:
    """Dollars, to the millionth, rounded half to even."""
    dollars = (
        usage.write_units * WRITE_UNIT
        + usage.read_halves * READ_UNIT / 2
        + usage.queue_requests * QUEUE_REQUEST
        + usage.invocations * INVOCATION
        + usage.megabyte_milliseconds * GIGABYTE_SECOND / 1_024_000
    )
    return dollars.quantize(_MICRO)


class Share(NamedTuple):
    """What one contact asks for, of everything `Usage` counts."""

    write_units: float = 0.0
    read_units: float = 0.0
    queue_requests: float = 0.0
    invocations: float = 0.0
    megabyte_milliseconds: float = 0.0


#: To be enrolled (row and index), hinted, and counted at the end.
ENROLLED = Share(2.06, 0.37, 0.09, 0.03, 2_000.0)
#: By step type, as measured on flows of 100 contacts; a provider is taken to answer in 50 ms. A step without an effect
#: of its own (CONDITION, AB_TEST, END) is decided on the way to the next one.
STEPS: Mapping[str, Share] = {
    "SEND": Share(2.2, 2.4, 0.3, 0.1, 60_000.0),
    "WAIT": Share(0.22, 0.2, 0.0, 0.02, 2_000.0),
    "TAG": Share(2.1, 1.3, 0.3, 0.1, 10_000.0),
}
#: A TAG right behind a SEND is done by the SEND's step.
RIDING_TAG = Share(1.05, 0.1, 0.0, 0.0, 2_000.0)


#: What one report of a provider takes: the row, the statistics, and an event in the contact's history.
REPORT = Share(5.05, 5.0, 1.2, 0.1, 1_500.0)


def forecast(
    graph: Graph, visits: Mapping[NodeId, float], contacts: int, reporting: Collection[NodeId] = ()
) -> AwsUsage:
    """Of a flow over so many contacts, of which `visits` says what share comes by each node.

    `reporting`: nodes whose messages are reported on; one report is reckoned for each, that it was delivered.
    """
    shares = [(ENROLLED, 1.0), *((_share(graph, node), visits[node.id]) for node in graph)]
    shares += [(REPORT, visits[node]) for node in reporting]
    writes, reads, requests, invocations, memory = (
        contacts * sum(share[index] * part for share, part in shares) for index in range(len(Share._fields))
    )
    return AwsUsage(round(writes), round(reads * 2), round(requests), round(invocations), round(memory))


def _share(graph: Graph, node: Node) -> Share:
    before = [each.step.type for each in graph if node.id in each.exits.values()]
    rides = node.step.type == "TAG" and before and set(before) == {"SEND"}
    return RIDING_TAG if rides else STEPS.get(node.step.type, Share())
