"""Is one variant of an A/B test better? Rates with intervals, lift, probability to win; standard library only."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

#: Fewer recipients in a variant tell nothing (dashboard.md: the field's common threshold).
ENOUGH = 500
#: Draws for the probability to win: its error is below 2 %.
DRAWS = 4_000
_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Variant:
    """`rate` of `hits` among `sent`; `low` and `high` are its 95 % Wilson interval; `wins` is among all variants."""

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
    """The variants of one split by one measure, like `opened`."""

    measure: str
    variants: tuple[Variant, ...]

    @property
    def verdict(self) -> str:
        """What may be said by now."""
        if not self.variants or any(variant.sent < ENOUGH for variant in self.variants):
            return "not enough data"
        best = max(self.variants, key=lambda variant: variant.wins)
        return f"{best.label} wins" if best.wins >= CERTAIN else "no clear winner"


def compare(measure: str, counts: Mapping[str, tuple[int, int]]) -> LaneComparison:
    """`counts`: label → (sent, hits), the first being what the others are compared with."""
    wins = _win_probabilities(tuple(counts.values()))
    base = next(iter(counts.values()), (0, 0))
    variants = tuple(
        Variant(label, sent, hits, _rate(sent, hits), *wilson(sent, hits), _lift(base, sent, hits), won)
        for (label, (sent, hits)), won in zip(counts.items(), wins, strict=True)
    )
    return LaneComparison(measure, variants)


def wilson(sent: int, hits: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a rate; everything while nothing was sent."""
    if sent == 0:
        return 0.0, 1.0
    rate, squared = hits / sent, _Z95**2
    middle = (rate + squared / (2 * sent)) / (1 + squared / sent)
    reach = _Z95 * math.sqrt(rate * (1 - rate) / sent + squared / (4 * sent**2)) / (1 + squared / sent)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _rate(sent: int, hits: int) -> float:
    return hits / sent if sent else 0.0


def _lift(base: tuple[int, int], sent: int, hits: int) -> float | None:
    """How much better than the first, as a share of its rate; None where that is nothing."""
    of_base = _rate(*base)
    return _rate(sent, hits) / of_base - 1 if of_base else None


@lru_cache
def _win_probabilities(counts: tuple[tuple[int, int], ...]) -> tuple[float, ...]:
    """How often each has the highest rate when rates are drawn from their beta posteriors; always the same draws."""
    if not counts:
        return ()
    dice = random.Random(0)  # noqa: S311 - no secret: a simulation, the same for the same numbers
    won = [0] * len(counts)
    for _ in range(DRAWS):
        rates = [dice.betavariate(1 + hits, 1 + max(0, sent - hits)) for sent, hits in counts]
        won[rates.index(max(rates))] += 1
    return tuple(each / DRAWS for each in won)
