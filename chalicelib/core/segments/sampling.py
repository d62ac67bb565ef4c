"""How many there are of something in all, by what a sample has of it, and how far off that may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

#: Half the width of an interval that holds the truth in 95 of 100 cases, in standard deviations.
Z = 1.96


@dataclass(frozen=True, slots=True)
class Measured:
    """A number, and by how much the truth may be more or less (95 %); 0 is exact."""

    count: int
    error: int = 0


@dataclass(frozen=True, slots=True)
class SampleRun:
    """A part of the sample: neighbours, who may be alike."""

    read: int
    found: int


def by_shards(found: int, shards: int, of: int) -> Measured:
    """`found` in so many whole shards. Each contact is in one of them by chance, so what is found is binomial."""
    share = shards / of
    # One more than was found: that nobody was found does not prove that there is nobody.
    error = Z * sqrt((found + 1) * (1 - share)) / share
    return Measured(round(found / share), ceil(error))


def by_runs(runs: Sequence[SampleRun], population: int) -> Measured:
    """Neighbours were often imported together: what varies is the run, not the contact."""
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
    """How many of a population have what `part` of a sample of `of` have."""
    if not of:
        return Measured(0, population.count + population.error)
    share, cautious = part / of, (part + 1) / (of + 2)
    is_all = of >= population.count and not population.error
    own = 0.0 if is_all else population.count**2 * cautious * (1 - cautious) / of
    return Measured(round(population.count * share), ceil(sqrt(Z**2 * own + (population.error * share) ** 2)))
