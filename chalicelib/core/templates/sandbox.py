"""minijinja for untrusted templates: its filters, and the guards that limit memory and time of a rendering."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from minijinja import Environment

from chalicelib.core.templates.source_guard import EACH, KEEP, TEST

#: Largest rendered field, in bytes.
MAX_OUTPUT_BYTES = 262_144
#: Longest value of a variable or result of a filter, in characters. The limits of `source_guard` depend on it.
MAX_TEXT = 16_384
#: Largest number of engine instructions. A source of 64 KiB made of variables needs about 26,000.
FUEL = 50_000
#: CPU time of one field, in s. Normal templates need far less than 1 ms.
MAX_CPU_SECONDS = 0.1


class RenderBudgetExceeded(Exception):
    """A rendering exceeded a limit. The message is for the author of the template."""


@dataclass(slots=True)
class _Budget:
    """The remaining budget of one field."""

    characters: int
    until: float

    def spend(self, characters: int) -> None:
        self.characters -= characters
        if self.characters < 0:
            raise RenderBudgetExceeded(f"becomes longer than {MAX_OUTPUT_BYTES} bytes")
        if time.thread_time() > self.until:
            raise RenderBudgetExceeded("takes too long")


_BUDGET: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def render_budget() -> Iterator[None]:
    """Limit the rendering of one field inside this context."""
    mark = _BUDGET.set(_Budget(MAX_OUTPUT_BYTES, time.thread_time() + MAX_CPU_SECONDS))
    try:
        yield
    finally:
        _BUDGET.reset(mark)


def build_environment() -> Environment:
    """Build an environment without templates. Only sources that passed `guard_source` may be added."""
    environment = Environment(
        fuel=FUEL,
        undefined_behavior="strict",
        debug=False,
        pycompat=False,
        auto_escape_callback=lambda name: name == "html",
        finalizer=_write,
        filters={EACH: _each, KEEP: _keep, TEST: _test, **_FILTERS},
    )
    for name in list(environment.globals):
        environment.remove_global(name)
    return environment


def _write(value: object) -> object:
    """Count the output of an expression before it is written."""
    _BUDGET.get().spend(len(str(value)))
    return "" if value is None else value


def _each(value: object, weight: int) -> Iterable[object]:
    """Charge a whole loop before its first round. `weight` is the length of the raw text inside."""
    if not isinstance(value, list | tuple | dict | str):
        raise RenderBudgetExceeded("has a loop over something that is not a list")
    _BUDGET.get().spend(len(value) * (weight + 1))
    return list(value)


def _keep(value: object) -> object:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise RenderBudgetExceeded(f"sets a text longer than {MAX_TEXT}")
    _BUDGET.get().spend(0)
    return value


def _test(value: object) -> object:
    _BUDGET.get().spend(0)
    return value


def _fits(length: int, name: str) -> None:
    if length > MAX_TEXT:
        raise RenderBudgetExceeded(f"has a {name} that makes a text longer than {MAX_TEXT}")


def _replace(value: object, old: object, new: object) -> str:
    text, before, after = str(value), str(old), str(new)
    _fits(len(text) + text.count(before) * max(0, len(after) - len(before)), "replace")
    return text.replace(before, after)


def _join(value: object, between: object = "") -> str:
    if not isinstance(value, list | tuple | str):
        raise RenderBudgetExceeded("has a join of something that is not a list")
    parts = [str(part) for part in value]
    _fits(sum(map(len, parts)) + len(str(between)) * len(parts), "join")
    return str(between).join(parts)


def _truncate(value: object, length: int = 255, end: object = "…") -> str:
    text = str(value)
    return text if len(text) <= length else text[: max(0, length - len(str(end)))] + str(end)


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        raise RenderBudgetExceeded("calculates with something that is not a number below 10 to the 15th")
    return value


def _times(value: object, factor: object) -> int | float:
    return _number(value) * _number(factor)


def _decimals(value: object, places: object = 2) -> str:
    """Format a number with fixed decimals: 12.5 → "12.50". At most ten decimals."""
    return f"{_number(value):.{min(10, max(0, int(_number(places))))}f}"


def _round(value: object, places: object = 0) -> int | float:
    return round(_number(value), min(10, max(0, int(_number(places)))))


_FILTERS: Mapping[str, Callable[..., object]] = {
    "decimals": _decimals,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "times": _times,
    "truncate": _truncate,
}
