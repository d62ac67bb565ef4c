"""The comparison as a table: medians of all rounds per 1,000 steps, and the ratios of the peers to Carillon."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

#: Nodes of the campaign: SEND, WAIT, CONDITION, SEND, TAG, END. Fused nodes count too.
STEPS = 6


def summarise(rounds: Sequence[Mapping[str, Mapping[str, float]]], contacts: int) -> dict[str, dict[str, Any]]:
    """Summarise the rounds by contestant. Figures are medians of each sum, not sums of medians."""
    return {name: _summarise([each[name] for each in rounds], contacts) for name in rounds[0]}


def _summarise(runs: Sequence[Mapping[str, float]], contacts: int) -> dict[str, Any]:
    thousand_steps = contacts * STEPS / 1_000
    parts = [_parts(run) for run in runs]
    shown = {part: median(each[part] for each in parts) / thousand_steps for part in parts[0]}
    every = [each["all"] / thousand_steps for each in parts]
    return {**shown, "lowest": min(every), "highest": max(every)}


def _parts(run: Mapping[str, float]) -> dict[str, float]:
    workers, store = (_of(run, kind) for kind in ("worker-", "store-"))
    every = sum(run.values())
    return {"workers": workers, "launcher": every - workers - store, "store": store, "own": every - store, "all": every}


def _of(run: Mapping[str, float], kind: str) -> float:
    return sum(used for name, used in run.items() if name.startswith(kind))


def ratios(found: Mapping[str, Mapping[str, Any]], ours: str, others: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return peer / Carillon, above 1 where Carillon takes less, in three ways.

    `without emulator`: all of the peer's over ours beside the emulator, which on AWS is not ours to run.
    `with emulator`: all of both. `without stores`: neither's store, so what talks to a store with what talks to one.
    """
    if ours not in found:
        return {}
    mine = found[ours]
    return {
        name: {
            "without emulator": each["all"] / mine["own"],
            "with emulator": each["all"] / mine["all"],
            "without stores": each["own"] / mine["own"],
        }
        for name, each in ((name, found[name]) for name in others)
    }


def show(measured: Mapping[str, Any]) -> str:
    """Format two tables in Markdown."""
    return "\n".join([*_costs(measured["summary"]), "", *_ratios(measured["ratios"])])


def _costs(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from _heading("CPU seconds per 1,000 steps", "workers", "launcher", "store", "all", "lowest to highest")
    for name, each in found.items():
        figures = [f"{each[part]:.2f}" for part in ("workers", "launcher", "store", "all")]
        yield _line(name, *figures, f"{each['lowest']:.2f} to {each['highest']:.2f}")


def _ratios(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    if found:
        yield from _heading("times Carillon", *next(iter(found.values())))
    for name, each in found.items():
        yield _line(name, *(f"{ratio:.2f}" for ratio in each.values()))


def _heading(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield "|" + "---|" * len(names)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
