"""Estimate totals and their errors from samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

#: Half-width of a 95% confidence interval, in standard deviations.
Z = 1.96


@dataclass(frozen=True, slots=True)
class Measured:
    """A count with its error at 95% confidence. An error of 0 means exact."""

    count: int
    error: int = 0


@dataclass(frozen=True, slots=True)
class SampleRun:
    """A run of neighbouring contacts in the sample. Neighbours may be similar."""

    read: int
    found: int


def by_shards(found: int, shards: int, of: int) -> Measured:
    """Estimate from whole shards. Each contact is in a shard by chance, so `found` is binomial."""
    share = shards / of
    # The + 1 keeps the error above 0 when the sample has no member.
    error = Z * sqrt((found + 1) * (1 - share)) / share
    return Measured(round(found / share), ceil(error))


def by_runs(runs: Sequence[SampleRun], population: int) -> Measured:
    """Estimate from runs. Neighbours were often imported together, so the variance is taken between runs."""
    read, found = sum(run.read for run in runs), sum(run.found for run in runs)
    if not read:
        return Measured(0, population)
    share = found / read
    cautious = (found + 1) / (read + 2)
    alone = cautious * (1 - cautious) / read
    together = sum((run.found - share * run.read) ** 2 for run in runs) / read**2
    together *= len(runs) / max(1, len(runs) - 1)
    return Measured(round(population * share), min(population, ceil(Z * population * sqrt(max(alone, together)))))


def in_all(part: int, of: int, population: Measured) -> Measured:
    """Estimate the share `part` / `of` of a sample in a population."""
    if not of:
        return Measured(0, population.count + population.error)
    share, cautious = part / of, (part + 1) / (of + 2)
    is_all = of >= population.count and not population.error
    own = 0.0 if is_all else population.count**2 * cautious * (1 - cautious) / of
    return Measured(round(population.count * share), ceil(sqrt(Z**2 * own + (population.error * share) ** 2)))
