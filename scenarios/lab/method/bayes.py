"""The likeliest cause in few runs: the next run is the one from which most is to be learnt.

It assumes that one set of one to three factors is the cause, that a run fails with one rate where all of the
set is in place, and with a smaller one where it is not. Both rates are unknown, each one of a few. What it
names is the best explanation of that kind, also where none of that kind is true; the caller has to run it
alone.
"""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import TYPE_CHECKING, Final

from simulations.choices import substream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

SIZE_MAX: Final = 3
"""The largest cause that is considered."""
RATES: Final = tuple(product((0.35, 0.6, 0.8, 0.93, 0.995), (0.002, 0.02, 0.08)))
"""The rates of failure with the cause in place and without it that are considered, all alike at first."""
CERTAIN: Final = ((1 - 1e-9, 1e-9),)
"""The same where one run decides."""
CONFIDENCE: Final = 0.97
"""How probable the likeliest cause must be."""
RUNS_MAX: Final = 80
CANDIDATES: Final = 48
"""How many configurations are weighed up for the next run."""


def most_likely_cause(
    factors: Sequence[str],
    run: Callable[[frozenset[str]], bool | None],
    *,
    certain: bool,
    confidence: float = CONFIDENCE,
    runs_max: int = RUNS_MAX,
) -> frozenset[str] | None:
    """Return the likeliest cause, not confirmed; None if no cause has become likely enough.

    Args:
        factors: What may be in place or not.
        run: Runs the job once with some of the factors in place; whether it failed with the signature, or
            None for another failure, which says nothing.
        certain: Whether one run decides.
        confidence: How probable it must be, under the assumptions, above 0 and below 1.
        runs_max: When to give up, from 1.
    """
    belief = _Belief(factors, CERTAIN if certain else RATES)
    rng = substream(len(factors), "configurations")
    for _ in range(runs_max):
        present = belief.most_telling(rng)
        seen = run(frozenset(factors[place] for place in present))
        if seen is not None:
            belief.learn(present, failed=seen)
        cause, probability = belief.best()
        if probability >= confidence:
            return frozenset(factors[place] for place in cause)
    return None


class _Belief:
    """The probability of each cause with each pair of rates."""

    def __init__(self, factors: Sequence[str], rates: Sequence[tuple[float, float]]) -> None:
        self._places = range(len(factors))
        self._causes = [
            frozenset(some)
            for size in range(1, min(SIZE_MAX, len(factors)) + 1)
            for some in combinations(self._places, size)
        ]
        self._rates = rates
        start = 1 / (len(self._causes) * len(rates))
        self._weights = [[start] * len(self._causes) for _ in rates]

    def learn(self, present: frozenset[int], *, failed: bool) -> None:
        inside = [cause <= present for cause in self._causes]
        total = 0.0
        for (with_it, without), weights in zip(self._rates, self._weights, strict=True):
            chance = {True: with_it, False: without}
            if not failed:
                chance = {key: 1 - value for key, value in chance.items()}
            weights[:] = [weight * chance[within] for weight, within in zip(weights, inside, strict=True)]
            total += math.fsum(weights)
        for weights in self._weights:
            weights[:] = [weight / total for weight in weights]

    def best(self) -> tuple[frozenset[int], float]:
        """Return the likeliest cause and its probability, over all rates."""
        sums = [math.fsum(column) for column in zip(*self._weights, strict=True)]
        most = max(range(len(sums)), key=sums.__getitem__)
        return self._causes[most], sums[most]

    def most_telling(self, rng: Random) -> frozenset[int]:
        """Return the configuration whose outcome is expected to tell most about the cause."""
        return max(self._candidates(rng), key=self._information)

    def _candidates(self, rng: Random) -> list[frozenset[int]]:
        """Return configurations to weigh up: random ones, and those that tell the likeliest causes apart."""
        sums = [math.fsum(column) for column in zip(*self._weights, strict=True)]
        likely = sorted(range(len(sums)), key=sums.__getitem__, reverse=True)[:6]
        everything = frozenset(self._places)
        chosen = {self._causes[place] for place in likely}
        chosen |= {everything - {place} for cause in likely for place in self._causes[cause]}
        chosen |= {self._causes[one] | self._causes[other] for one, other in combinations(likely[:4], 2)}
        for _ in range(CANDIDATES):
            share = rng.choice((0.5, 0.65, 0.8, 0.9))
            chosen.add(frozenset(place for place in self._places if rng.random() < share))
        return sorted(chosen, key=sorted)

    def _information(self, present: frozenset[int]) -> float:
        """Return by how much the outcome is expected to lower the uncertainty, in nats."""
        inside = [cause <= present for cause in self._causes]
        fails, noise = 0.0, 0.0
        for (with_it, without), weights in zip(self._rates, self._weights, strict=True):
            total = math.fsum(weights)
            within = math.fsum(weight for weight, each in zip(weights, inside, strict=True) if each)
            fails += within * with_it + (total - within) * without
            noise += within * _entropy(with_it) + (total - within) * _entropy(without)
        return _entropy(fails) - noise


def _entropy(chance: float) -> float:
    if not 0 < chance < 1:
        return 0.0
    return -chance * math.log(chance) - (1 - chance) * math.log1p(-chance)
