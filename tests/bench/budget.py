"""Budget of the six-node campaign per contact, the lower bound of any engine, and the list price of a million."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.core.billing.aws_cost import INVOCATION, QUEUE_REQUEST, READ_UNIT, WRITE_UNIT


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity per contact; `least` is the lower bound of any engine (one claim per SEND, one write per tag …)."""

    name: str
    least: float
    budget: float
    #: US dollars for one unit, or None when AWS does not bill it separately.
    price: Decimal | None = None


BUDGET = (
    Quantity("write_units", 3, 7.5, WRITE_UNIT),
    Quantity("read_units", 1, 5.5, READ_UNIT),
    Quantity("sqs_requests", 0.6, 0.9, QUEUE_REQUEST),
    Quantity("invocations", 0.2, 0.3, INVOCATION),
    Quantity("calls", 0.8, 3),
)
#: Largest size of a waiting execution, in bytes.
ROW_BYTES = 700
#: Largest allowed growth of the cost per contact from the smallest to the largest flow.
GROWTH = 0.05
MILLION = 1_000_000


def by_contact(small: Mapping[str, Any], large: Mapping[str, Any], name: str) -> float:
    """Return the cost of one more contact: the difference of two runs, which excludes the fixed cost of a flow."""
    more = large["contacts"] - small["contacts"]
    return float(large[name] * large["contacts"] - small[name] * small["contacts"]) / more


def price_of_a_million(figures: Mapping[str, float]) -> Decimal:
    """Return the list price in US dollars of everything billed per request. Compute time is extra (see `Usage`)."""
    return sum((Decimal(str(figures[each.name])) * each.price * MILLION for each in BUDGET if each.price), Decimal(0))


def compare(small: Mapping[str, Any], large: Mapping[str, Any]) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, measured value per additional contact, budget and lower bound."""
    for each in BUDGET:
        yield each.name, by_contact(small, large, each.name), each.budget, each.least
