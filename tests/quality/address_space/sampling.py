"""How far a count may lie from what is expected before it is no chance any more."""

from math import sqrt

Z = 4.42
"""Standard deviations; under the null hypothesis a comparison fails with probability 1e-5."""


def agrees(count, runs, probability):
    """Return whether a count of `runs` independent events fits a known probability."""
    return abs(count - runs * probability) <= Z * sqrt(runs * probability * (1 - probability)) + 1


def same_rate(left, right, runs):
    """Return whether two counts, each of `runs`, fit one and the same unknown probability."""
    pooled = (left + right + 1) / (2 * runs + 2)
    return abs(left - right) <= Z * sqrt(2 * runs * pooled * (1 - pooled))
