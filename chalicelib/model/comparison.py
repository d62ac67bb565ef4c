"""What every single comparison of a condition or filter is: the value that it looks for, and its words."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Self

from pydantic import JsonValue, TypeAdapter, model_validator

from chalicelib.model.base import StrictModel
from chalicelib.model.durations import Duration
from chalicelib.model.operators import Op, Operand
from chalicelib.model.steps import StepContext

#: What the inspector keeps of a comparison; it is stored on the row.
MAX_WORDS = 80
_ISO_8601 = TypeAdapter(timedelta)


class Comparison(StrictModel):
    """Base of all; `kind` is the key by which it is told from the others."""

    kind: ClassVar[str]

    def holds(self, context: StepContext) -> str:
        """The comparison in words when it holds, else nothing."""
        raise TypeError(f"{self.kind} cannot be asked of {context.contact.uid}")

    def parts(self) -> tuple["Comparison", ...]:
        """What it is made of; nothing for a single comparison."""
        return ()


class ValueComparison(Comparison):
    """One value, found somewhere, compared with another."""

    op: Op = Op.EQ
    value: JsonValue = None
    within: Duration | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        self.comparand.check()
        return self

    @cached_property
    def comparand(self) -> Operand:
        """Operator and value."""
        return Operand(self.op, self.value, self.within)

    @cached_property
    def fits(self) -> Callable[[object, datetime], bool]:
        """Whether it holds of what was found."""
        return self.comparand.compiled()

    def why(self, name: str, found: object, now: datetime) -> str:
        """In words when it holds: what is not there only fits `ne`, and `exists` with the value false."""
        value = _ISO_8601.dump_python(self.within, mode="json") if self.within else self.value
        words = f"{name} {self.op} {'' if value is None else value}".strip()
        return words[:MAX_WORDS] if self.fits(found, now) else ""


class HistoryComparison(Comparison):
    """One that is asked by words of its own (`is`, `times`), or by `op` and `value` like the others."""

    #: The operators that make sense of it.
    ops: ClassVar[tuple[Op, ...]]

    op: Op | None = None
    value: JsonValue = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.op is None:
            if self.value is not None:
                raise ValueError("value goes with op")
            return self
        if {"is_", "times"} & self.model_fields_set:
            raise ValueError("op goes with value, not with is or times")
        if self.op not in self.ops:
            raise ValueError(f"the operators of {self.kind} are {', '.join(self.ops)}")
        self.comparand.check()
        self.check_value(self.value if isinstance(self.value, list) else (self.value,))
        return self

    @cached_property
    def comparand(self) -> Operand:
        """Operator and value, where it is asked by them."""
        return Operand(self.op or Op.EXISTS, self.value, None)

    def check_value(self, values: Iterable[object]) -> None:
        """Raises ValueError for values that it can never have; `exists` has been checked."""
        raise TypeError(f"{self.kind} takes no {values}")
