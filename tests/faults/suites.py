"""The tiers of `make torture`: single faults, pairs, fuzz, mutants, AWS; figures as a table and as JSON."""

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tests.faults.aws_suites import compare, play_on_ministack
from tests.faults.figures import Figures
from tests.faults.mutants import BY_NAME as MUTANTS
from tests.faults.mutants import GOT_AWAY, hunt
from tests.faults.plan import Fault, Plan, kinds_of, read_plan, single_faults
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME, SCENARIOS

MOST_FAULTS = 5
T = TypeVar("T")
#: L1, L2 and L3 in memory; L1 in part and the verdicts of all scenarios on the emulators.
TIERS = ("singles", "pairs", "fuzz", "ministack", "emulators")
#: Runs that a process does before it reports.
PORTION = 40


def singles(name: str) -> Iterator[Plan]:
    """Every fault at every call."""
    scenario = BY_NAME[name]
    for fault in single_faults(run(scenario).calls, scenario.act is not None):
        yield (fault,)


def fuzz(seed: int) -> tuple[str, Plan]:
    """A scenario and up to five faults, by a seed; the same seed shuffles the deliveries."""
    chance = random.Random(seed)
    scenario = chance.choice(SCENARIOS)
    calls = run(scenario, seed=seed).calls
    found: dict[int, Fault] = {}
    for _ in range(chance.randint(1, MOST_FAULTS)):
        # A run with faults has more calls than one without: redeliveries have numbers beyond its end.
        number = chance.randint(1, len(calls) + len(calls) // 2)
        call = calls[(number - 1) % len(calls)]
        found[number] = Fault(number, chance.choice(list(kinds_of(call, scenario.act is not None))))
    return scenario.name, tuple(sorted(found.values()))


def _play(name: str, plans: Sequence[Plan]) -> Figures:
    figures, began = Figures(), time.process_time()
    for plan in plans:
        figures.add(run(BY_NAME[name], plan))
    figures.cpu_seconds = time.process_time() - began
    return figures


def _play_first(name: str, firsts: Sequence[Fault]) -> Figures:
    """All second faults behind these first ones."""
    scenario, figures, began = BY_NAME[name], Figures(), time.process_time()
    for first in firsts:
        calls = run(scenario, (first,)).calls
        for second in single_faults(calls, scenario.act is not None, after=first.number):
            figures.add(run(scenario, (first, second)))
    figures.cpu_seconds = time.process_time() - began
    return figures


def _play_seeds(seeds: Sequence[int]) -> Figures:
    figures, began = Figures(), time.process_time()
    for seed in seeds:
        name, plan = fuzz(seed)
        figures.add(run(BY_NAME[name], plan, seed))
    figures.cpu_seconds = time.process_time() - began
    return figures


def _portions(entries: Iterable[T], size: int = PORTION) -> Iterator[list[T]]:
    iterator = iter(entries)
    while portion := list(islice(iterator, size)):
        yield portion


def _all(pool: ProcessPoolExecutor, jobs: Iterable[Callable[[], Figures]]) -> Figures:
    total = Figures()
    for future in [pool.submit(job) for job in jobs]:
        total.merge(future.result())
    return total


#: Of the faults at AWS's calls every so manieth is played, in shares for several processes.
AWS_EVERY, AWS_SHARES = 20, 2


def play_tiers(wanted: Sequence[str], names: Sequence[str], jobs: int, seeds: range) -> dict[str, Figures]:
    """The wanted tiers over the named scenarios, in this order."""
    with ProcessPoolExecutor(jobs) as pool:
        return {tier: _shown(tier, _all(pool, _jobs(tier, names, seeds))) for tier in TIERS if tier in wanted}


def _jobs(tier: str, names: Sequence[str], seeds: range) -> Iterator[Callable[[], Figures]]:
    """What can be played side by side."""
    if tier == "fuzz":
        yield from (partial(_play_seeds, portion) for portion in _portions(seeds))
    for name in names:
        if tier == "singles":
            yield from (partial(_play, name, portion) for portion in _portions(singles(name)))
        if tier == "pairs" and BY_NAME[name].is_small:
            firsts = [fault for plan in singles(name) for fault in plan]
            yield from (partial(_play_first, name, portion) for portion in _portions(firsts, 5))
        if tier == "ministack":
            shares = range(0, AWS_EVERY * AWS_SHARES, AWS_EVERY)
            yield from (partial(play_on_ministack, name, AWS_EVERY * AWS_SHARES, share) for share in shares)
        if tier == "emulators":
            where = (each for each in ("ministack", "moto") if each not in BY_NAME[name].not_on)
            yield from (partial(compare, name, each) for each in where)


def _shown(name: str, figures: Figures) -> Figures:
    print(f"{name} done: {figures.runs} runs, {len(figures.failures)} failures", flush=True)
    return figures


def hunt_all(jobs: int) -> dict[str, str | None]:
    """Each mutant with what caught it."""
    with ProcessPoolExecutor(jobs) as pool:
        return dict(zip(MUTANTS, pool.map(hunt, MUTANTS), strict=True))


def print_table(tiers: dict[str, Figures], mutants: dict[str, str | None]) -> None:
    columns = ("runs", "faults", "accepted", "unknown", "duplicates", "lost", "mismatches", "other", "cpu_seconds")
    print(f"{'tier':<18}" + "".join(f"{name:>12}" for name in columns))
    for tier, figures in tiers.items():
        print(f"{tier:<18}" + "".join(f"{round(getattr(figures, name)):>12}" for name in columns))
    for figures in tiers.values():
        for failure in figures.failures[:20]:
            print(failure)
    if mutants:
        for name, caught in mutants.items():
            print(f"{name:<36}{caught or 'GOT AWAY'}")
        print(f"mutants caught: {sum(map(bool, mutants.values()))}/{len(mutants)}")


def _write(path: Path, tiers: dict[str, Figures], mutants: dict[str, str | None]) -> None:
    figures = {
        "machine": {"processor": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "tiers": {name: vars(each) for name, each in tiers.items()},
        "mutants": mutants,
        "mutants_caught": sum(map(bool, mutants.values())),
    }
    path.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _hunt_one(name: str) -> int:
    """Prints the first run that breaks an invariant; GOT_AWAY when there is none."""
    for scenario in MUTANTS[name].scenarios:
        bare = run(BY_NAME[scenario])
        if bare.violations:
            print(f"{scenario} without faults: {bare.violations[0]}")
            return 0
        for plan in singles(scenario):
            outcome = run(BY_NAME[scenario], plan)
            if outcome.violations:
                print(f"{scenario} '{plan[0]}': {outcome.violations[0]}")
                return 0
    return GOT_AWAY


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", nargs="?", default="all", choices=["all", "replay", "hunt", "mutants", *TIERS])
    parser.add_argument("name", nargs="?", default="", help="a scenario, or a mutant")
    parser.add_argument("plan", nargs="?", default="", help="like 'C@12 P@30'")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--fuzz", type=int, default=5_000, help="runs of L3")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, default=None, help="where the figures go")
    given = parser.parse_args(arguments)
    if given.what == "hunt":
        return _hunt_one(given.name)
    if given.what == "replay":
        outcome = run(BY_NAME[given.name], read_plan(given.plan), given.seed)
        for number, call in enumerate(outcome.calls, start=1):
            print(number, call.name)
        print(outcome if outcome.violations else "nothing is broken")
        return 1 if outcome.violations else 0
    first = given.seed or 1
    seeds, names = range(first, first + given.fuzz), [given.name] if given.name else list(BY_NAME)
    tiers = play_tiers(TIERS if given.what == "all" else [given.what], names, given.jobs, seeds)
    mutants = hunt_all(given.jobs) if given.what in {"all", "mutants"} else {}
    print_table(tiers, mutants)
    if given.json:
        _write(given.json, tiers, mutants)
    return 0 if all(mutants.values()) and not any(each.failures for each in tiers.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
