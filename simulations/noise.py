"""Noise models: how likely the environment is to do something unusual, label by label."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import accumulate, pairwise, repeat
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIFORM: Final = "uniform"
"""The rate of a label whose options are all equally likely, the nominal one included."""

Rate: TypeAlias = float | Fraction | tuple[float | Fraction, ...] | Literal["uniform"]
"""How likely a label is to deviate; see `NoiseModel`."""


@dataclass(frozen=True)
class NoiseModel:
    """A named table of probabilities per label.

    Attributes:
        name: Stands in reports, and separates the random streams of two models with one seed.
        rates: From a label, or a pattern with `*`, `?` and `[...]`, to its rate. The first entry that matches
            counts. A number from 0 to 1 is the probability of a deviation, spread evenly over the options
            that are not nominal; a tuple gives option 1, option 2, ... each its own; `UNIFORM` makes all
            options equally likely.
        otherwise: The rate of every other label.

    Raises:
        ValueError: a rate is not a probability.
    """

    name: str
    rates: Mapping[str, Rate]
    otherwise: Rate = 0.0

    def __post_init__(self) -> None:
        for label, rate in [*self.rates.items(), ("otherwise", self.otherwise)]:
            parts = rate if isinstance(rate, tuple) else () if rate == UNIFORM else (rate,)
            if isinstance(rate, str) and rate != UNIFORM:
                raise ValueError(
                    f"noise model {self.name}: the rate of {label} is {rate!r}; say a number or UNIFORM"
                )
            if any(not 0 <= part <= 1 for part in parts) or sum(parts, Fraction(0)) > 1:
                raise ValueError(
                    f"noise model {self.name}: the rate of {label} is {rate}, not a probability (0 to 1)"
                )

    def rate(self, label: str) -> Rate:
        """Return the rate of a label."""
        for pattern, rate in self.rates.items():
            if pattern == label or fnmatchcase(label, pattern):
                return rate
        return self.otherwise

    def probabilities(self, label: str, size: int) -> tuple[float, ...]:
        """Return the probability of each of `size` options of a label, the nominal one first.

        Raises:
            ValueError: the rate of the label has more entries than there are options besides the nominal one.
        """
        upto = (0.0, *cumulative(self.rate(label), size))
        others = [above - below for below, above in pairwise(upto)]
        return (1 - upto[-1], *others, *repeat(0.0, size - 1 - len(others)))


def cumulative(rate: Rate, size: int) -> tuple[float, ...]:
    """Return the probabilities of 'option 1', 'option 1 or 2', ... under a rate.

    Raises:
        ValueError: the rate has more entries than there are options besides the nominal one.
    """
    others = size - 1
    if isinstance(rate, tuple):
        if len(rate) > others:
            raise ValueError(
                f"a rate with {len(rate)} entries does not fit {others} options besides the nominal one"
            )
        return tuple(accumulate(map(float, rate)))
    total = others / size if rate == UNIFORM else float(rate)
    return tuple(total * option / others for option in range(1, size))
