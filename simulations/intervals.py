"""How far the rate of an event is known after independent runs, with 95 % confidence."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["rate_below", "wilson"]

_RULE_OF_THREE: Final = 3
_Z: Final = 1.959964
"""The 97.5 % quantile of the normal distribution, for an interval of 95 %."""


def rate_below(runs: int) -> float:
    """Return the rate that no event in `runs` independent runs excludes: it is below 3/n, the rule of three.

    Hanley and Lippman-Hand, JAMA 1983.

    Args:
        runs: How many runs there were, from 1.
    """
    return min(1.0, _RULE_OF_THREE / runs)


def wilson(events: int, runs: int) -> tuple[float, float]:
    """Return the interval of the rate after `events` events in `runs` independent runs. Wilson, JASA 1927.

    Args:
        events: From 0 to `runs`.
        runs: How many runs there were, from 1.
    """
    share, square = events / runs, _Z * _Z
    centre = share + square / (2 * runs)
    spread = _Z * math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    return (centre - spread) / (1 + square / runs), (centre + spread) / (1 + square / runs)
