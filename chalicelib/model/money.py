"""Money: integer units of 10⁻⁴ of the minor unit inside, decimal strings outside; never a float."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

#: Units of one of a currency with two decimals: a cent has 10,000, so prices of a fraction of one add up exactly.
UNITS = 1_000_000
_DECIMALS = 6
#: Up to 999,999,999.999999: sums of 10¹² messages stay far below what DynamoDB keeps exactly (38 digits).
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$", examples=["0.0075"])]


def read_money(text: str) -> int:
    """The units of an `Amount`."""
    whole, _, part = text.partition(".")
    return int(whole) * UNITS + int(part.ljust(_DECIMALS, "0"))


def write_money(units: int) -> str:
    """A decimal string with at least two decimals."""
    amount = Decimal(units) / UNITS
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"
