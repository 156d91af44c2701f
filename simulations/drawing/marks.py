"""What a picture is: a chart or a table, as data that says nothing of how it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Axis", "Cell", "Chart", "Note", "Picture", "Point", "Series", "Shape", "Table", "Tone", "decades"]


class Shape(StrEnum):
    """How a series is drawn."""

    STEP = "step"
    """A curve that keeps its height until the next point; its intervals are a band."""
    LINE = "line"
    """Straight lines from point to point; its intervals are a band."""
    BARS = "bars"
    """A bar from the foot of the chart to each point, with its interval as a whisker."""
    POINTS = "points"
    """A dot for each point, with its interval as a whisker."""


class Tone(StrEnum):
    """How a cell of a table is meant; a sign stands for it as well as a colour."""

    PLAIN = ""
    GOOD = "✓"
    BAD = "✗"


@dataclass(frozen=True)
class Point:
    """A point of a series.

    Attributes:
        x: Where it is.
        y: How high.
        low: The lower end of its interval; None where there is none.
        high: The upper end.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Series:
    """A curve, bars or dots.

    Attributes:
        name: What it is.
        points: Its points, from left to right.
        shape: How it is drawn.
        detail: What else there is to say about it.
        censored: Whether it was cut off at its last point, where something had not happened yet.
    """

    name: str
    points: tuple[Point, ...]
    shape: Shape = Shape.STEP
    detail: str = ""
    censored: bool = False

    def height_at(self, x: float) -> float | None:
        """Return the height of the last point that is not to the right of x; None where there is none."""
        return next((point.y for point in reversed(self.points) if point.x <= x), None)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An axis.

    Attributes:
        label: What it measures, with its unit.
        low: Its first value; above 0 where it is logarithmic.
        high: Its last value, above the first.
        ticks: Values that are marked, and what stands there.
        log: Whether it is logarithmic.

    Raises:
        ValueError: the ends make no axis.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    log: bool = False

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf or (self.log and self.low <= 0):
            raise ValueError(f"an axis cannot go from {self.low} to {self.high}")

    def place(self, value: float) -> float:
        """Return where a value stands, from 0 to 1; what lies beyond an end stands at that end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value_at(self, place: float) -> float:
        """Return the value at a place from 0 to 1."""
        if self.log:
            return self.low * math.exp(place * math.log(self.high / self.low))
        return self.low + place * (self.high - self.low)


def decades(low: float, high: float) -> Iterator[float]:
    """Yield the powers of ten from one that is at most `low` to one that is at least `high`.

    Args:
        low: Above 0.
        high: At least `low`.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for exponent in range(first, last + 1):
        yield 10.0**exponent


@dataclass(frozen=True)
class Note:
    """A place on the horizontal axis, and what happens there; it gets a number, and its text stands below.

    Attributes:
        x: The place.
        text: What happens.
    """

    x: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Series over two axes.

    Attributes:
        title: What it shows.
        x: The horizontal axis.
        y: The vertical axis.
        series: What is drawn.
        notes: Places that are marked.
        said: What it says, a line each.
    """

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    notes: tuple[Note, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What stands there.
        tone: How it is meant.
    """

    text: str
    tone: Tone = Tone.PLAIN

    def __str__(self) -> str:
        return f"{self.tone} {self.text}".strip()


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells.

    Attributes:
        title: What it shows.
        header: The names of the columns, at least one.
        rows: A cell for each column.
        said: What it says, a line each.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    said: tuple[str, ...] = ()


Picture: TypeAlias = Chart | Table
"""What can be drawn."""
