"""minijinja, set up for strangers' templates: its filters, and the guards that stop a bomb while it renders."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from minijinja import Environment

from chalicelib.core.templates.source_guard import EACH, KEEP, TEST

#: security.md: the longest text that a field may become, in bytes.
MAX_OUTPUT_BYTES = 262_144
#: Longest text that a variable or a filter's result may be; template_source.py counts on it.
MAX_TEXT = 16_384
#: Instructions of the engine: a source of 64 KiB made of variables needs about 26,000.
FUEL = 50_000
#: CPU time of one field. Honest templates need well under a millisecond.
MAX_CPU_SECONDS = 0.1


class RenderBudgetExceeded(Exception):
    """A guard says no; the message is for the author."""


@dataclass(slots=True)
class _Budget:
    """What is left for one field."""

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
    """Around the rendering of one field."""
    mark = _BUDGET.set(_Budget(MAX_OUTPUT_BYTES, time.thread_time() + MAX_CPU_SECONDS))
    try:
        yield
    finally:
        _BUDGET.reset(mark)


def build_environment() -> Environment:
    """An environment without templates; they must have passed `guard_source`."""
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
    """Counts what an expression writes, before it is written."""
    _BUDGET.get().spend(len(str(value)))
    return "" if value is None else value


def _each(value: object, weight: int) -> Iterable[object]:
    """Pays for a whole loop before its first round: `weight` is the raw text in it."""
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
    """12.5 → "12.50"; at most ten places."""
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
