"""Figures that come with an interval, and how they are said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Estimate", "percent"]

_RARE: Final = 0.001


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; a bound that is infinite is one that the data do not give.

    Attributes:
        value: The figure.
        low: The lower end; equal to the value, as is the upper end, where the figure is exact.
        high: The upper end.
    """

    value: float
    low: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Estimate:
        """Return a figure that is no estimate."""
        return cls(value, value, value)

    @property
    def exact(self) -> bool:
        """Whether it is no estimate."""
        return self.low == self.high

    def through(self, transform: Callable[[float], float]) -> Estimate:
        """Return the estimate of a monotone function of the figure."""
        low, high = sorted((transform(self.low), transform(self.high)))
        return Estimate(transform(self.value), low, high)

    def to_json(self) -> dict[str, float | None]:
        """Return value, low and high; None stands for infinity."""
        return {name: finite(getattr(self, name)) for name in ("value", "low", "high")}


def finite(value: float) -> float | None:
    """Return a number, or None for infinity, which JSON does not know."""
    return value if math.isfinite(value) else None


def percent(share: float) -> str:
    """Return a share as a percentage, with as many digits as a rare event needs."""
    if 0 < share < _RARE:
        return f"{share:.2g}"
    return f"{share:.2%}" if share < _RARE * 10 else f"{share:.1%}"


def jsonable(value: Any) -> Any:
    """Return nested data with each `Estimate` as JSON-able data and infinities as None."""
    if isinstance(value, Estimate):
        return value.to_json()
    if isinstance(value, dict):
        return {key: jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    return finite(value) if isinstance(value, float) else value
