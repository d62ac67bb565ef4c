"""Estimates from samples: the truth lies within the error in about 95 of 100 cases, also where neighbours are alike."""

import random
from collections.abc import Callable

import pytest

from chalicelib.core.segments.sampling import Measured, SampleRun, by_runs, by_shards, in_all

TRIES = 400


def _hits(estimate: Callable[[random.Random], tuple[Measured, int]]) -> float:
    """Return the share of the runs with the true value inside of the error."""
    chance = random.Random(7)
    tried = (estimate(chance) for _ in range(TRIES))
    return sum(abs(measured.count - truth) <= measured.error for measured, truth in tried) / TRIES


@pytest.mark.parametrize(("members", "shards"), [(20, 4), (1_000, 1), (1_000, 32), (0, 1)])
def test_whole_shards(members: int, shards: int) -> None:
    def estimate(chance: random.Random) -> tuple[Measured, int]:
        found = sum(chance.randrange(64) < shards for _ in range(members))
        return by_shards(found, shards, 64), members

    assert _hits(estimate) >= 0.93


def test_all_shards_are_no_sample() -> None:
    assert by_shards(123, 64, 64) == Measured(123, 0)


@pytest.mark.parametrize("alike", [1, 20, 100])
def test_pages_from_all_over_a_shard(alike: int) -> None:
    """Neighbours come in blocks that are members all or not at all; one page is 100 of them."""

    def estimate(chance: random.Random) -> tuple[Measured, int]:
        blocks = [chance.random() < 0.3 for _ in range(20_000 // alike)]
        people = [member for member in blocks for _ in range(alike)]
        starts = chance.sample(range(0, 20_000, 100), 40)
        runs = [SampleRun(100, sum(people[start : start + 100])) for start in starts]
        return by_runs(runs, len(people)), sum(people)

    assert _hits(estimate) >= 0.92


def test_more_of_a_sample_makes_a_smaller_error() -> None:
    few, many = (by_runs([SampleRun(100, 20 + number % 3) for number in range(count)], 1_000_000) for count in (4, 64))
    assert few.error > many.error * 2
    assert by_runs([], 10) == Measured(0, 10)
    assert by_runs([SampleRun(100, 0)] * 10, 1_000_000).error > 1_000


def test_a_share_of_a_population_that_is_itself_estimated() -> None:
    assert in_all(30, 100, Measured(100)) == Measured(30, 0)
    sampled, vague = in_all(300, 1_000, Measured(50_000)), in_all(300, 1_000, Measured(50_000, 5_000))
    assert sampled.count == vague.count == 15_000
    assert 1_300 < sampled.error < 1_500 < vague.error < 2_200
    assert in_all(0, 0, Measured(7, 3)) == Measured(0, 10)
