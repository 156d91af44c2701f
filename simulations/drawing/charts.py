"""A chart on a sheet: axes, curves, bars, dots, and numbered notes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulations.drawing.canvas import FONT, LINE, MARGIN, TAG, digits, fits, tag_width
from simulations.drawing.lettering import EM, columns, wrapped
from simulations.drawing.marks import Shape
from simulations.drawing.palette import SERIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.drawing.canvas import Canvas
    from simulations.drawing.marks import Axis, Chart, Point, Series

PLOT_LEFT: Final = 90
PLOT_HEIGHT: Final = 300
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 4", "1 2")
DOTS: Final = (
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "m-3.5 -3.5h7v7h-7z",
    "m0 -5l5 8.5h-10z",
    "m0 -5l5 5l-5 5l-5 -5z",
    "m0 5l5 -8.5h-10z",
    "m-2 -5h4v3h3v4h-3v3h-4v-3h-3v-4h3z",
)
"""The dots of each series have a form of their own, so that they are told apart without their colour."""
BAR_MAX: Final = 14
BAR_MIN: Final = 1.5


@dataclass(frozen=True)
class _Plot:
    """The place of a chart on the canvas, and where its values stand."""

    x: Axis
    y: Axis
    top: float
    right: float
    left: float = PLOT_LEFT

    @property
    def foot(self) -> float:
        return self.top + PLOT_HEIGHT

    def across(self, value: float) -> float:
        return self.left + self.x.place(value) * (self.right - self.left)

    def up(self, value: float) -> float:
        return self.foot - self.y.place(value) * PLOT_HEIGHT


def draw_chart(canvas: Canvas, chart: Chart) -> None:
    """Draw a chart below what is there."""
    right = canvas.right - 10
    lanes = _lanes([_Plot(chart.x, chart.y, 0, right).across(note.x) for note in chart.notes])
    deepest = max(lanes, default=-1) + 1
    plot = _Plot(chart.x, chart.y, canvas.bottom + deepest * (TAG + 3) + 10, right)
    _draw_axes(canvas, plot)
    for number, (note, lane) in enumerate(zip(chart.notes, lanes, strict=True), 1):
        _draw_tag(canvas, plot, plot.across(note.x), str(number), plot.top - (lane + 1) * (TAG + 3))
    for number, series in enumerate(chart.series):
        _draw_series(canvas, plot, series, number % len(SERIES))
    for number, series in enumerate(chart.series):
        colour, dashes = number % len(SERIES), DASHES[number % len(SERIES)]
        middle = canvas.bottom + LINE / 2
        if series.shape is Shape.POINTS:
            _draw_dot(canvas, MARGIN + 17.0, middle, colour)
        elif series.shape is Shape.BARS:
            _draw_bar(canvas, MARGIN + 17.0, middle - 5, middle + 5, colour, width=BAR_MAX)
        else:
            canvas.path(f"M{MARGIN} {digits(middle)}H{MARGIN + 34}", colour, dashes)
        canvas.paragraph(": ".join(filter(None, (series.name, series.detail))), x=MARGIN + 44.0)
    for number, note in enumerate(chart.notes, 1):
        canvas.tag(MARGIN + 17.0, canvas.bottom + 1, str(number))
        canvas.paragraph(note.text, x=MARGIN + 44.0)
    if any(series.censored for series in chart.series):
        canvas.paragraph("| at the end of a curve: what had not happened by then is cut off there.")


def _lanes(places: Sequence[float]) -> list[int]:
    """Return for each tag the lane above the plot in which it meets no other."""
    ends: list[float] = []
    found = []
    for number, place in enumerate(places, 1):
        half = tag_width(str(number)) / 2 + 1
        lane = next((lane for lane, end in enumerate(ends) if end <= place - half), len(ends))
        ends[lane : lane + 1] = [place + half]
        found.append(lane)
    return found


def _draw_tag(canvas: Canvas, plot: _Plot, x: float, text: str, top: float) -> None:
    canvas.add(
        "path",
        class_="hl-quiet",
        stroke="currentColor",
        stroke_dasharray="2 3",
        d=f"M{digits(x)} {digits(top + TAG)}V{digits(plot.foot)}",
    )
    canvas.tag(x, top, text)


def _draw_axes(canvas: Canvas, plot: _Plot) -> None:
    last = plot.foot + LINE
    for value, text in sorted(plot.y.ticks):
        y = plot.up(value)
        canvas.rule(f"M{digits(plot.left)} {digits(y)}H{digits(plot.right)}")
        if y <= last - LINE:
            last = y
            canvas.write(text, plot.left - 8, y + 4, colour="quiet", anchor="end")
    end = 0.0
    for value, text in sorted(plot.x.ticks):
        x, half = plot.across(value), columns(text) * EM * FONT / 2
        canvas.rule(f"M{digits(x)} {digits(plot.foot)}v5")
        middle = min(x, canvas.width - 4 - half)
        if middle - half >= end:
            end = middle + half + 8
            canvas.write(text, middle, plot.foot + LINE, colour="quiet", anchor="middle")
    canvas.rule(f"M{digits(plot.left)} {digits(plot.top)}V{digits(plot.foot)}H{digits(plot.right)}")
    for rank, line in enumerate(wrapped(plot.x.label, fits(canvas.width - 2 * MARGIN))):
        room = columns(line) * EM * FONT / 2
        middle = max(MARGIN + room, min((plot.left + plot.right) / 2, canvas.right - room))
        canvas.write(line, middle, plot.foot + (2 + rank) * LINE, colour="quiet", anchor="middle")
        canvas.go(plot.foot + (3 + rank) * LINE)
    middle = (plot.top + plot.foot) / 2
    canvas.write(plot.y.label, MARGIN, middle, colour="quiet", anchor="middle", turned=True)


def _draw_series(canvas: Canvas, plot: _Plot, series: Series, colour: int) -> None:
    points = series.points
    if not points:
        return
    if series.shape in {Shape.STEP, Shape.LINE}:
        step = series.shape is Shape.STEP
        band = [point for point in points if point.low is not None and point.high is not None]
        if any(point.low != point.high for point in band):
            above = _line(plot, [(point.x, _end(point, high=True)) for point in band], step=step)
            below = _line(plot, [(point.x, _end(point, high=False)) for point in band], step=step)
            corners = " ".join(f"{digits(x)},{digits(y)}" for x, y in [*above, *reversed([*below])])
            canvas.tinted("polygon", f"series{colour}", "0.14", stroke_width=0.7, points=corners)
        curve = " ".join(
            f"{digits(x)} {digits(y)}"
            for x, y in _line(plot, [(point.x, point.y) for point in points], step=step)
        )
        canvas.path(f"M{curve}", colour, DASHES[colour])
    else:
        places = [plot.across(point.x) for point in points]
        nearest = min((after - before for before, after in pairwise(places)), default=BAR_MAX)
        width = max(BAR_MIN, min(BAR_MAX, 0.8 * nearest))
        for point in points:
            _draw_point(canvas, plot, point, colour, width if series.shape is Shape.BARS else None)
    if series.censored:
        x, y = plot.across(points[-1].x), plot.up(points[-1].y)
        canvas.path(f"M{digits(x)} {digits(y - 6)}v12", colour)


def _end(point: Point, *, high: bool) -> float:
    end = point.high if high else point.low
    return point.y if end is None else end


def _line(plot: _Plot, places: list[tuple[float, float]], *, step: bool) -> Iterator[tuple[float, float]]:
    height: float | None = None
    for x, y in places:
        if step and height is not None:
            yield plot.across(x), height
        height = plot.up(y)
        yield plot.across(x), height


def _draw_dot(canvas: Canvas, x: float, y: float, colour: int) -> None:
    d = f"M{digits(x)} {digits(y)}{DOTS[colour]}"
    canvas.add("path", class_=f"hl-series{colour}", fill="currentColor", d=d)


def _draw_bar(canvas: Canvas, x: float, top: float, foot: float, colour: int, *, width: float) -> None:
    place = {"x": x - width / 2, "y": top, "width": width, "height": foot - top}
    canvas.tinted("rect", f"series{colour}", "0.6", **place)


def _draw_point(canvas: Canvas, plot: _Plot, point: Point, colour: int, width: float | None) -> None:
    """Draw a bar of a width, or a dot where it has none, and the interval."""
    x, y = plot.across(point.x), plot.up(point.y)
    if width is None:
        _draw_dot(canvas, x, y, colour)
    else:
        _draw_bar(canvas, x, y, plot.foot, colour, width=width)
    if point.low is not None and point.high is not None:
        low, high = plot.up(point.low), plot.up(point.high)
        canvas.path(
            f"M{digits(x - 4)} {digits(high)}h8m-4 0V{digits(low)}m-4 0h8",
            colour,
        )
