"""Operators of conditions and filters, and the values that each accepts."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum


class Op(StrEnum):
    """Comparison operators. `before`, `after` and `within` read the value as a time."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    EXISTS = "exists"
    BEFORE = "before"
    AFTER = "after"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Operand:
    """An operator and its value; the value of `within` is a duration before now."""

    op: Op
    value: object
    within: timedelta | None

    def check(self) -> None:
        """Check the value. ValueError if the operator does not accept it."""
        if (self.within is not None) != (self.op is Op.WITHIN):
            raise ValueError("within is required for the operator within and not allowed for other operators")
        expected, fits = _ACCEPTED[self.op]
        if not fits(self.value):
            raise ValueError(f"the operator {self.op} requires {expected}")

    def fits(self, found: object, now: datetime) -> bool:
        """Report whether the comparison holds for a value that was found.

        A missing value matches only `ne`, and `exists` with the value false.
        """
        return self.compiled()(found, now)

    def compiled(self) -> Callable[[object, datetime], bool]:
        """Return a prepared form of `fits`, for callers that compare many values."""
        if self.op is Op.EXISTS:
            wanted = self.value is not False
            return lambda found, _: (found is not None) is wanted
        if self.op is Op.NE:
            return lambda found, _: not _equal(found, self.value)
        values = self.value if self.op is Op.IN and isinstance(self.value, list) else [self.value]
        texts = frozenset(value for value in values if isinstance(value, str))
        if self.op in {Op.EQ, Op.IN} and len(texts) == len(values):
            return _text_matcher(texts)
        compare = _COMPARE[self.op]
        return lambda found, now: found is not None and compare(self, found, now)


def as_moment(value: object) -> datetime | None:
    """Convert a value to a time, or return None. A date is its start in UTC; text must be ISO 8601 with a zone."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > len("2026-01-01") else date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo else None
        except OverflowError:  # the offset moves the time outside the years 1 to 9999
            return None
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


_ORDERS = {Op.GT: operator.gt, Op.GTE: operator.ge, Op.LT: operator.lt, Op.LTE: operator.le}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: Operator → its accepted value, in words and as a check.
_ACCEPTED: Mapping[Op, tuple[str, Callable[[object], bool]]] = {
    **dict.fromkeys((Op.EQ, Op.NE), ("a value or a list", lambda value: isinstance(value, str | int | float | list))),
    **dict.fromkeys(_ORDERS, ("a number", _is_number)),
    **dict.fromkeys(
        (Op.BEFORE, Op.AFTER), ("a date, or a date-time with a time zone", lambda value: bool(as_moment(value)))
    ),
    Op.IN: ("a list", lambda value: isinstance(value, list)),
    Op.CONTAINS: ("text, a number, true or false", lambda value: isinstance(value, str | int | float)),
    Op.STARTS_WITH: ("text", lambda value: isinstance(value, str)),
    Op.EXISTS: ("true, false or no value", lambda value: value is None or isinstance(value, bool)),
    Op.WITHIN: ("no value", lambda value: value is None),
}


def _equal(found: object, value: object) -> bool:
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, date) and not isinstance(found, datetime):
        return found.isoformat() == value
    return list(found) == value if isinstance(found, tuple) else found == value


def _text_matcher(texts: frozenset[str]) -> Callable[[object, datetime], bool]:
    def fits(found: object, now: datetime) -> bool:
        del now
        if isinstance(found, str):
            return found in texts
        return type(found) is date and found.isoformat() in texts

    return fits


def _compare_numbers(comparand: Operand, found: object, now: datetime) -> bool:
    del now
    if not isinstance(found, int | float) or not isinstance(comparand.value, int | float) or isinstance(found, bool):
        return False
    return bool(_ORDERS[comparand.op](found, comparand.value))


def _is_in(comparand: Operand, found: object, now: datetime) -> bool:
    del now
    return isinstance(comparand.value, list) and any(_equal(found, each) for each in comparand.value)


def _contains(comparand: Operand, found: object, now: datetime) -> bool:
    del now
    if isinstance(found, tuple | list):
        return any(_equal(each, comparand.value) for each in found)
    return isinstance(found, str) and str(comparand.value).casefold() in found.casefold()


def _starts_with(comparand: Operand, found: object, now: datetime) -> bool:
    del now
    return isinstance(found, str) and found.casefold().startswith(str(comparand.value).casefold())


def _compare_times(comparand: Operand, found: object, now: datetime) -> bool:
    moment, value = as_moment(found), as_moment(comparand.value)
    if moment is None:
        return False
    if comparand.within is not None:
        return timedelta(0) <= now - moment <= comparand.within
    if value is None:
        return False
    return moment < value if comparand.op is Op.BEFORE else moment > value


_COMPARE: Mapping[Op, Callable[[Operand, object, datetime], bool]] = {
    Op.EQ: lambda comparand, found, _: _equal(found, comparand.value),
    Op.IN: _is_in,
    Op.CONTAINS: _contains,
    Op.STARTS_WITH: _starts_with,
    Op.BEFORE: _compare_times,
    Op.AFTER: _compare_times,
    Op.WITHIN: _compare_times,
    **dict.fromkeys(_ORDERS, _compare_numbers),
}
