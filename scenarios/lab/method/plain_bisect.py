"""What `git bisect run` does with a test that may pass: it takes every passing version for good."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simulations.choices import substream

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["named_by_plain", "plain_bisection"]


def plain_bisection(rates: Sequence[float | None], seed: int) -> int:
    """Return the version that halving the range names, with one run of each version it comes to.

    Args:
        rates: For each version the probability that its test fails; None where it cannot be judged, so that
            the next one is run in its place. The first version is taken to be good, the last to be bad.
        seed: Of the runs; any integer from 0.
    """
    rng = substream(seed, "plain bisection")
    good, bad = 0, len(rates) - 1
    while inner := [number for number in range(good + 1, bad) if rates[number] is not None]:
        number = min(inner, key=lambda each: (abs(2 * each - good - bad), each))
        if rng.random() < (rates[number] or 0.0):
            bad = number
        else:
            good = number
    return bad


def named_by_plain(rates: Sequence[float | None], trials: int) -> Counter[int]:
    """Return how often plain bisection names each version, in independent trials.

    Args:
        rates: As in `plain_bisection`.
        trials: How many, from 1.
    """
    return Counter(plain_bisection(rates, seed) for seed in range(trials))
