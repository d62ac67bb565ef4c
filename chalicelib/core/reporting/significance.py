"""Compare the variants of an A/B test: rates with intervals, lift, and the probability to be the best."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

#: Fewest recipients per variant for a verdict, a common threshold of A/B testing tools.
ENOUGH = 500
#: Samples for the probability to win. Its error is below 2 %.
DRAWS = 4_000
_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Variant:
    """Results of one variant. `low` and `high` bound the 95 % Wilson interval of `rate`, which is hits/sent.

    `lift` is relative to the first variant. `wins` is the probability that the variant is the best of all.
    """

    label: str
    sent: int
    hits: int
    rate: float
    low: float
    high: float
    lift: float | None
    wins: float


#: A variant wins when it is the best with this probability.
CERTAIN = 0.9


@dataclass(frozen=True, slots=True)
class LaneComparison:
    """Comparison of the variants of one A/B test by one measure, such as `opened`."""

    measure: str
    variants: tuple[Variant, ...]

    @property
    def verdict(self) -> str:
        """The result in words: the winner, no clear winner, or not enough data."""
        if not self.variants or any(variant.sent < ENOUGH for variant in self.variants):
            return "not enough data"
        best = max(self.variants, key=lambda variant: variant.wins)
        return f"{best.label} wins" if best.wins >= CERTAIN else "no clear winner"


def compare(measure: str, counts: Mapping[str, tuple[int, int]]) -> LaneComparison:
    """Compare variants. `counts` maps each label to (sent, hits); the lift is relative to the first label."""
    wins = _win_probabilities(tuple(counts.values()))
    base = next(iter(counts.values()), (0, 0))
    variants = tuple(
        Variant(label, sent, hits, _rate(sent, hits), *wilson(sent, hits), _lift(base, sent, hits), won)
        for (label, (sent, hits)), won in zip(counts.items(), wins, strict=True)
    )
    return LaneComparison(measure, variants)


def wilson(sent: int, hits: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a rate, which is 0 to 1 while nothing was sent."""
    if sent == 0:
        return 0.0, 1.0
    rate, squared = hits / sent, _Z95**2
    middle = (rate + squared / (2 * sent)) / (1 + squared / sent)
    reach = _Z95 * math.sqrt(rate * (1 - rate) / sent + squared / (4 * sent**2)) / (1 + squared / sent)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _rate(sent: int, hits: int) -> float:
    return hits / sent if sent else 0.0


def _lift(base: tuple[int, int], sent: int, hits: int) -> float | None:
    """Return the change against the first variant as a share of its rate, or None if that rate is 0."""
    base_rate = _rate(*base)
    return _rate(sent, hits) / base_rate - 1 if base_rate else None


@lru_cache
def _win_probabilities(counts: tuple[tuple[int, int], ...]) -> tuple[float, ...]:
    """Return how often each variant has the highest rate in samples from the beta posteriors, 0 to 1.

    The seed is fixed, so the same counts always yield the same shares.
    """
    if not counts:
        return ()
    generator = random.Random(0)  # noqa: S311 - a simulation, not a secret
    won = [0] * len(counts)
    for _ in range(DRAWS):
        rates = [generator.betavariate(1 + hits, 1 + max(0, sent - hits)) for sent, hits in counts]
        won[rates.index(max(rates))] += 1
    return tuple(each / DRAWS for each in won)
