"""Base classes of the comparisons in conditions and segment filters."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Self

from pydantic import JsonValue, TypeAdapter, model_validator

from chalicelib.model.base import StrictModel
from chalicelib.model.durations import Duration
from chalicelib.model.operators import Op, Operand
from chalicelib.model.steps import StepContext

#: Characters of a comparison that the inspector shows; it is stored on the execution.
MAX_WORDS = 80
_ISO_8601 = TypeAdapter(timedelta)


class Comparison(StrictModel):
    """Base of all comparisons. `kind` is the key that identifies the comparison in JSON."""

    kind: ClassVar[str]

    def holds(self, context: StepContext) -> str:
        """Return the comparison in words if it holds, else an empty string."""
        raise TypeError(f"{self.kind} cannot be evaluated for contact {context.contact.uid}")

    def parts(self) -> tuple["Comparison", ...]:
        """Return the parts of a combination; empty for a single comparison."""
        return ()


class ValueComparison(Comparison):
    """A comparison of one value with another."""

    op: Op = Op.EQ
    """Operator of the comparison; default `eq`."""
    value: JsonValue = None
    """Value to compare with. `within` accepts none; `exists` accepts true (default) or false."""
    within: Duration | None = None
    """Time span of the operator `within`, as an ISO 8601 duration. Other operators do not accept it."""

    @model_validator(mode="after")
    def _check_operand(self) -> Self:
        self.comparand.check()
        return self

    @cached_property
    def comparand(self) -> Operand:
        """The operator and the value to compare with."""
        return Operand(self.op, self.value, self.within)

    @cached_property
    def fits(self) -> Callable[[object, datetime], bool]:
        """Report whether the comparison holds for a value that was found."""
        return self.comparand.compiled()

    def why(self, name: str, found: object, now: datetime) -> str:
        """Return the comparison in words if it holds.

        A missing value matches only `ne`, and `exists` with the value false.
        """
        value = _ISO_8601.dump_python(self.within, mode="json") if self.within else self.value
        words = f"{name} {self.op} {'' if value is None else value}".strip()
        return words[:MAX_WORDS] if self.fits(found, now) else ""


class HistoryComparison(Comparison):
    """A comparison with special keys (`is`, `times`), or with `op` and `value`."""

    #: The operators that `op` accepts.
    ops: ClassVar[tuple[Op, ...]]

    op: Op | None = None
    """Operator, as an alternative to the special keys of the comparison."""
    value: JsonValue = None
    """Value to compare with; only together with `op`."""

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        if self.op is None:
            if self.value is not None:
                raise ValueError("value requires op")
            return self
        if {"is_", "times"} & self.model_fields_set:
            raise ValueError("op requires value and excludes is and times")
        if self.op not in self.ops:
            raise ValueError(f"op of {self.kind} must be one of {', '.join(self.ops)}")
        self.comparand.check()
        self.check_value(self.value if isinstance(self.value, list) else (self.value,))
        return self

    @cached_property
    def comparand(self) -> Operand:
        """The operator and the value to compare with; only if the comparison uses `op`."""
        return Operand(self.op or Op.EXISTS, self.value, None)

    def check_value(self, values: Iterable[object]) -> None:
        """Check the values of `op`.

        ValueError for a value that the comparison can never have; `exists` is checked elsewhere.
        """
        raise TypeError(f"{self.kind} accepts no values: {values}")
