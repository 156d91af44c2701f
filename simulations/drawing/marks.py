"""What a picture is: chart, table, lanes, tracks or diagram, as data that says nothing of how it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FAILS",
    "NEAREST",
    "PARTS",
    "Axis",
    "Cell",
    "Chart",
    "Diagram",
    "Edge",
    "Fall",
    "Kind",
    "Lanes",
    "Look",
    "Node",
    "Note",
    "Picture",
    "Point",
    "Sequence",
    "Series",
    "Shape",
    "Span",
    "Spot",
    "Step",
    "Table",
    "Tone",
    "Track",
    "Tracks",
    "decades",
    "lanes_beside",
]


FAILS: Final = "fails"
"""The title of a run that fails."""
NEAREST: Final = "the nearest that passes"
"""The title of the run that passes and is nearest to it."""


PARTS: Final = "from here on they differ"
"""What stands before the first step in which two runs differ."""


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


@dataclass(frozen=True)
class Step:
    """One thing that happened in a lane.

    Attributes:
        lane: The number of the lane, from 0.
        text: What happened.
        at: When, as it is written; may be empty.
        tone: How it is meant.
    """

    lane: int
    text: str
    at: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """What several actors did, one after another.

    Attributes:
        title: Which run it is.
        tone: How it ended.
        lanes: The names of the actors.
        steps: What happened, in order.
        ended: How it ended, in a line; may be empty.
        unit: What the times of the steps are in; may be empty.
    """

    title: str
    tone: Tone
    lanes: tuple[str, ...]
    steps: tuple[Step, ...]
    ended: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.lanes or any(not 0 <= step.lane < len(self.lanes) for step in self.steps):
            raise ValueError(f"a step stands in a lane that is not among the {len(self.lanes)} there are")


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """One run, or two beside each other, with a lane for each actor.

    Attributes:
        title: What it shows.
        runs: One or two of them.
        parts_at: The number, from 0, of the first step in which the two differ; None where they do not, or
            where there is one.
        said: What it says, a line each.
    """

    title: str
    runs: tuple[Sequence, ...]
    parts_at: int | None = None
    said: tuple[str, ...] = ()


def lanes_beside(title: str, failing: Sequence, passing: Sequence) -> Lanes:
    """Return a failing run beside a passing one, with the first step in which they differ."""
    steps = list(zip_longest(failing.steps, passing.steps))
    parts_at = next((number for number, (one, other) in enumerate(steps) if one != other), None)
    return Lanes(title=title, runs=(failing, passing), parts_at=parts_at)


class Look(StrEnum):
    """How a kind of place is drawn; none of them is told from another by its colour alone."""

    BLANK = "blank"
    SOLID = "solid"
    DARK = "dark"
    HATCHED = "hatched"
    DOT = "dot"
    TICK = "tick"
    CROSS = "cross"
    DIAMOND = "diamond"
    LINE = "line"


@dataclass(frozen=True)
class Kind:
    """A kind of place on a track.

    Attributes:
        sign: The character that stands for it in text.
        name: What it is.
        look: How it is drawn.
    """

    sign: str
    name: str
    look: Look


@dataclass(frozen=True)
class Span:
    """A stretch of a track.

    Attributes:
        low: Where it begins.
        high: Where it ends, above `low`.
        kind: The number of its kind.
    """

    low: float
    high: float
    kind: int


@dataclass(frozen=True)
class Spot:
    """A place on a track.

    Attributes:
        at: Where it is.
        kind: The number of its kind.
    """

    at: float
    kind: int


@dataclass(frozen=True, kw_only=True)
class Track:
    """A row with places on it; the rows of a picture may have different ends.

    Attributes:
        label: What it is.
        low: Where it begins.
        high: Where it ends, above `low`.
        spans: What covers stretches of it.
        spots: What lies on it.
        ticks: Places that are marked, and what stands there.
        note: What stands beside it.
    """

    label: str
    low: float
    high: float
    spans: tuple[Span, ...] = ()
    spots: tuple[Spot, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"a track cannot go from {self.low} to {self.high}")

    def cell(self, at: float, width: int) -> int:
        """Return in which of `width` cells a place lies, from 0; exact for integers."""
        return max(0, min(width - 1, int((at - self.low) * width // (self.high - self.low))))


@dataclass(frozen=True)
class Fall:
    """An arrow from a spot of one track to a spot of another.

    Attributes:
        track: The number of the track where it begins.
        at: The place there.
        to_track: The number of the track where it ends; another one.
        to: The place there.
    """

    track: int
    at: float
    to_track: int
    to: float


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """Rows with stretches and spots on them.

    Attributes:
        title: What it shows.
        kinds: The kinds of places, the least important first; the first one is what is not covered.
        tracks: The rows, from the top.
        falls: Arrows.
        said: What it says, a line each.
    """

    title: str
    kinds: tuple[Kind, ...]
    tracks: tuple[Track, ...]
    falls: tuple[Fall, ...] = ()
    said: tuple[str, ...] = ()

    def cells(self, track: Track, width: int) -> list[int]:
        """Return for each of `width` cells of a track the number of the most important kind in it."""
        best, extent = [0] * width, track.high - track.low
        for span in track.spans:
            low, high = max(span.low, track.low), min(span.high, track.high)
            if low < high:
                last = int(-((track.low - high) * width // extent)) - 1  # the end is no part of the span
                for cell in range(track.cell(low, width), last + 1):
                    best[cell] = max(best[cell], span.kind)
        for spot in track.spots:
            cell = track.cell(spot.at, width)
            best[cell] = max(best[cell], spot.kind)
        return best


@dataclass(frozen=True)
class Node:
    """A state of a diagram.

    Attributes:
        name: What it is called.
        island: Whether it stands apart.
    """

    name: str
    island: bool = False


@dataclass(frozen=True)
class Edge:
    """A transition of a diagram.

    Attributes:
        source: The number of the node where it begins.
        target: The number of the node where it ends; may be the same.
        label: What leads there.
    """

    source: int
    target: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """States and what leads from one to another.

    Attributes:
        title: What it shows.
        nodes: The states.
        edges: The transitions.
        island: What the nodes are that stand apart.
        said: What it says, a line each.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    island: str = ""
    said: tuple[str, ...] = ()


Picture: TypeAlias = Chart | Table | Lanes | Tracks | Diagram
"""What can be drawn."""
