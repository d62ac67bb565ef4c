"""The tiers of `make torture`: single faults, pairs, fuzz, mutants, AWS. Prints a table and writes JSON."""

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
from tests.faults.mutants import SURVIVED, hunt
from tests.faults.plan import Fault, Plan, kinds_of, read_plan, single_faults
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME, SCENARIOS

MOST_FAULTS = 5
T = TypeVar("T")
#: Single faults, pairs and fuzz run in memory. On emulated AWS run a part of the single faults, and all scenarios.
TIERS = ("singles", "pairs", "fuzz", "ministack", "emulators")
#: Runs that a process makes before it reports.
PORTION = 40


def singles(name: str) -> Iterator[Plan]:
    """Yield a plan for every fault at every call."""
    scenario = BY_NAME[name]
    for fault in single_faults(run(scenario).calls, scenario.act is not None):
        yield (fault,)


def fuzz(seed: int) -> tuple[str, Plan]:
    """Return a scenario and a plan of up to five faults for a seed. The same seed shuffles the deliveries."""
    chance = random.Random(seed)
    scenario = chance.choice(SCENARIOS)
    calls = run(scenario, seed=seed).calls
    found: dict[int, Fault] = {}
    for _ in range(chance.randint(1, MOST_FAULTS)):
        # A run with faults has more calls than one without, because of redeliveries.
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
    """Run all pairs that begin with one of these faults."""
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


#: One of AWS_EVERY faults at AWS's calls is injected, in AWS_SHARES shares for several processes.
AWS_EVERY, AWS_SHARES = 20, 2


def play_tiers(wanted: Sequence[str], names: Sequence[str], jobs: int, seeds: range) -> dict[str, Figures]:
    """Run the wanted tiers over the named scenarios, in the order of TIERS."""
    with ProcessPoolExecutor(jobs) as pool:
        return {tier: _shown(tier, _all(pool, _jobs(tier, names, seeds))) for tier in TIERS if tier in wanted}


def _jobs(tier: str, names: Sequence[str], seeds: range) -> Iterator[Callable[[], Figures]]:
    """Yield the jobs of a tier, which may run in parallel."""
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
            emulators = (each for each in ("ministack", "moto") if each not in BY_NAME[name].not_on)
            yield from (partial(compare, name, each) for each in emulators)


def _shown(name: str, figures: Figures) -> Figures:
    print(f"{name} done: {figures.runs} runs, {len(figures.failures)} failures", flush=True)
    return figures


def try_all_mutants(jobs: int) -> dict[str, str | None]:
    """Return each mutant with the violation that caught it, or None."""
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
            print(f"{name:<36}{caught or 'SURVIVED'}")
        print(f"mutants caught: {sum(map(bool, mutants.values()))}/{len(mutants)}")


def _write(path: Path, tiers: dict[str, Figures], mutants: dict[str, str | None]) -> None:
    figures = {
        "machine": {"processor": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "tiers": {name: vars(each) for name, each in tiers.items()},
        "mutants": mutants,
        "mutants_caught": sum(map(bool, mutants.values())),
    }
    path.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _try_mutant(name: str) -> int:
    """Print the first run that breaks an invariant, or return SURVIVED."""
    for scenario in MUTANTS[name].scenarios:
        direct = run(BY_NAME[scenario])
        if direct.violations:
            print(f"{scenario} without faults: {direct.violations[0]}")
            return 0
        for plan in singles(scenario):
            outcome = run(BY_NAME[scenario], plan)
            if outcome.violations:
                print(f"{scenario} '{plan[0]}': {outcome.violations[0]}")
                return 0
    return SURVIVED


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", nargs="?", default="all", choices=["all", "replay", "hunt", "mutants", *TIERS])
    parser.add_argument("name", nargs="?", default="", help="a scenario, or a mutant")
    parser.add_argument("plan", nargs="?", default="", help="like 'C@12 P@30'")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--fuzz", type=int, default=5_000, help="number of fuzzed runs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, default=None, help="file for the figures")
    options = parser.parse_args(arguments)
    if options.what == "hunt":
        return _try_mutant(options.name)
    if options.what == "replay":
        outcome = run(BY_NAME[options.name], read_plan(options.plan), options.seed)
        for number, call in enumerate(outcome.calls, start=1):
            print(number, call.name)
        print(outcome if outcome.violations else "all invariants hold")
        return 1 if outcome.violations else 0
    first = options.seed or 1
    seeds, names = range(first, first + options.fuzz), [options.name] if options.name else list(BY_NAME)
    tiers = play_tiers(TIERS if options.what == "all" else [options.what], names, options.jobs, seeds)
    mutants = try_all_mutants(options.jobs) if options.what in {"all", "mutants"} else {}
    print_table(tiers, mutants)
    if options.json:
        _write(options.json, tiers, mutants)
    return 0 if all(mutants.values()) and not any(each.failures for each in tiers.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
