"""Money: integers in units of 10⁻⁴ of the minor unit internally, decimal strings externally; never floats."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

#: Units per 1.00 of a currency with two decimals. One cent has 10,000 units, so sums of prices below a cent are exact.
UNITS = 1_000_000
_DECIMALS = 6
#: Up to 999,999,999.999999. Sums over 10¹² messages stay far below the 38 digits that DynamoDB stores exactly.
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$", examples=["0.0075"])]


def read_money(text: str) -> int:
    """Convert an `Amount` to units."""
    whole, _, part = text.partition(".")
    return int(whole) * UNITS + int(part.ljust(_DECIMALS, "0"))


def write_money(units: int) -> str:
    """Convert units to a decimal string with at least two decimals."""
    amount = Decimal(units) / UNITS
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"
