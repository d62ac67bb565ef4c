"""What the six-node campaign may cost by contact, what physics asks of any engine, and the list price of a million."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.core.billing.aws_cost import INVOCATION, QUEUE_REQUEST, READ_UNIT, WRITE_UNIT


@dataclass(frozen=True, slots=True)
class Quantity:
    """By contact; `least`: what no engine of this kind can go below (one claim a SEND, one write of the tag …)."""

    name: str
    least: float
    budget: float
    #: US dollars for one; None where it is not billed by itself.
    price: Decimal | None = None


BUDGET = (
    Quantity("write_units", 3, 7.5, WRITE_UNIT),
    Quantity("read_units", 1, 5.5, READ_UNIT),
    Quantity("sqs_requests", 0.6, 0.9, QUEUE_REQUEST),
    Quantity("invocations", 0.2, 0.3, INVOCATION),
    Quantity("calls", 0.8, 3),
)
#: Bytes of a row that waits.
ROW_BYTES = 700
#: By how much a contact may cost more among many than among few.
GROWTH = 0.05
MILLION = 1_000_000


def by_contact(small: Mapping[str, Any], large: Mapping[str, Any], name: str) -> float:
    """What a contact more costs: of two runs the difference, from which what a flow costs by itself is gone."""
    more = large["contacts"] - small["contacts"]
    return float(large[name] * large["contacts"] - small[name] * small["contacts"]) / more


def price_of_a_million(figures: Mapping[str, float]) -> Decimal:
    """US dollars by list price for what is billed by request; compute time comes on top (`Usage` has it)."""
    return sum((Decimal(str(figures[each.name])) * each.price * MILLION for each in BUDGET if each.price), Decimal(0))


def compare(small: Mapping[str, Any], large: Mapping[str, Any]) -> Iterator[tuple[str, float, float, float]]:
    """Name, measured by contact more, budget, and the least there could be."""
    for each in BUDGET:
        yield each.name, by_contact(small, large, each.name), each.budget, each.least
