"""How far the rate of an event is known after independent runs, with 95 % confidence.

    python -m simulations.intervals

prints how often Wilson's interval holds the true rate, computed exactly for all rates from 0.001 to 0.999. In
the mean over the rates it is 95 %, which is what is claimed; at the worst rate it is less, and with few runs
much less.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Step", "coverage", "detection_curve", "rate_below", "runs_needed", "wilson"]

_Z: Final = 1.959964
"""The 97.5 % quantile of the normal distribution, for an interval of 95 %."""
_MISSED: Final = 0.05


def rate_below(runs: int) -> float:
    """Return the rate that no event in `runs` independent runs excludes: 1-0.05^(1/n), for large n about 3/n.

    At that rate there would have been no event with a probability of 5 %. Hanley and Lippman-Hand, JAMA 1983,
    approximate it by 3/n, the rule of three, which is 5 % too high at 30 runs.

    Args:
        runs: How many runs there were, from 1.
    """
    return -math.expm1(math.log(_MISSED) / runs)


def wilson(events: float, runs: float) -> tuple[float, float]:
    """Return the interval of the rate after `events` events in `runs` independent runs. Wilson, JASA 1927.

    Args:
        events: From 0 to `runs`.
        runs: How many runs there were, from 1.
    """
    share, square = events / runs, _Z * _Z
    centre = share + square / (2 * runs)
    spread = _Z * math.sqrt(max(0.0, share * (1 - share) / runs + square / (4 * runs * runs)))
    low, high = (centre - spread) / (1 + square / runs), (centre + spread) / (1 + square / runs)
    return max(0.0, low), min(1.0, high)


def runs_needed(rate: float, share: float = 0.95) -> float:
    """Return in how many independent runs an event of that rate happens at least once.

    Args:
        rate: The probability of the event in one run, from 0 to 1.
        share: With which probability, above 0 and below 1.

    Returns:
        A whole number from 1, or infinity where the rate is 0.
    """
    if rate <= 0:
        return math.inf
    return 1 if rate >= share else math.ceil(math.log1p(-share) / math.log1p(-rate))


class Step(NamedTuple):
    """A point at which a detection curve rises.

    Attributes:
        runs: After how many runs.
        share: The share of searches that have found the bug by then.
        low: The lower end of its interval.
        high: The upper end.
    """

    runs: int
    share: float
    low: float
    high: float


def detection_curve(found: Sequence[int], *, censored: Sequence[int] = (), never: int = 0) -> list[Step]:
    """Return the share of searches that have found a bug, by the number of runs. Kaplan and Meier, JASA 1958.

    With one budget for all it is the plain share, with Wilson's interval. With several (some searches were
    interrupted) the plain share would be biased; the interval is then Wilson's for that number of searches
    which would give the variance of Greenwood. Rothman, Journal of Chronic Diseases 1978.

    Args:
        found: For each search that found it: after how many runs.
        censored: For each search that was stopped before it found it: after how many runs.
        never: How many searches ended since they had nothing more to propose. They will not find it, however
            long one waits, and stay in the denominator.
    """
    total = len(found) + len(censored) + never
    steps, missing, greenwood, effective = [], 1.0, 0.0, float(total)
    for runs in sorted(set(found)):
        events = sum(each == runs for each in found)
        at_risk = sum(each >= runs for each in found) + sum(each >= runs for each in censored) + never
        missing *= 1 - events / at_risk
        if at_risk > events:
            greenwood += events / (at_risk * (at_risk - events))
            effective = (1 - missing) / (missing * greenwood)
        steps.append(Step(runs, 1 - missing, *wilson((1 - missing) * effective, effective)))
    return steps


def coverage(rate: float, runs: int, interval: Callable[[int, int], tuple[float, float]] = wilson) -> float:
    """Return the exact probability that an interval holds the rate.

    Args:
        rate: The true rate, above 0 and below 1.
        runs: How many independent runs there are, from 1.
        interval: From the number of events and of runs to the ends of the interval.
    """
    held = 0.0
    for events in range(runs + 1):
        low, high = interval(events, runs)
        if low <= rate <= high:
            ways = math.lgamma(runs + 1) - math.lgamma(events + 1) - math.lgamma(runs - events + 1)
            held += math.exp(ways + events * math.log(rate) + (runs - events) * math.log1p(-rate))
    return held


def _main() -> None:
    rates = [thousandth / 1000 for thousandth in range(1, 1000)]
    sys.stdout.write("runs  mean   worst  rates with 93 to 97 %\n")
    for runs in (20, 60, 200, 1000):
        # It is the same at p and 1-p.
        held = [coverage(rate, runs) for rate in rates[:500]]
        held += held[:499]
        near = sum(0.93 <= each <= 0.97 for each in held) / len(held)
        sys.stdout.write(f"{runs:<5} {sum(held) / len(held):.3f}  {min(held):.3f}  {near:.0%}\n")


if __name__ == "__main__":
    _main()
