"""A picture as SVG: no script, nothing fetched, a text alternative, and the same bytes each time.

Text is set in a monospaced font, so that its room is known without that font, and nothing collides: what is
too long is broken into lines; notes get numbers in the picture and their text below; of marks of an axis that
are too close, one is left out.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulations.drawing.lettering import EM, FAMILY, columns, wrapped
from simulations.drawing.marks import Chart, Shape, Tone
from simulations.drawing.palette import SERIES, Theme, style
from simulations.drawing.text import lines
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.drawing.marks import Axis, Picture, Point, Series, Table

__all__ = ["Theme", "svg"]

WIDTH: Final = 960
"""The width of every picture; a page scales it down."""
MARGIN: Final = 20
FONT: Final = 13
TITLE: Final = 15
LINE: Final = 19
"""From one line of text to the next."""
PLOT_LEFT: Final = 90
PLOT_HEIGHT: Final = 300
TAG: Final = 18
"""The height of a numbered tag."""
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 4", "1 2")
CELL_GAP: Final = 16


@dataclass
class _Sheet:
    """Elements, and how far down the picture goes."""

    bottom: float = MARGIN
    elements: list[str] = field(default_factory=list)

    def add(self, tag: str, **attributes: object) -> None:
        """Add an element; `at` is its colour, and an underscore in a name stands for a hyphen."""
        said = "".join(
            f' {name.rstrip("_").replace("_", "-")}="{_number(value)}"' for name, value in attributes.items()
        )
        self.elements.append(f"<{tag}{said}/>")

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        colour: str = "ink",
        anchor: str = "start",
        size: int = FONT,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write a line of text."""
        weight = ' font-weight="bold"' if bold else ""
        turn = f' transform="rotate(-90 {_number(x)} {_number(y)})"' if turned else ""
        self.elements.append(
            f'<text class="hl-{colour}" fill="currentColor" x="{_number(x)}" y="{_number(y)}" '
            f'font-size="{size}" text-anchor="{anchor}"{weight}{turn}>{html.escape(printable(text))}</text>'
        )

    def paragraph(self, text: str, *, x: float = MARGIN, size: int = FONT, bold: bool = False) -> None:
        """Write lines of text below what is there."""
        for line in wrapped(text, int((WIDTH - MARGIN - x) / (EM * size))):
            self.bottom += LINE
            self.write(line, x, self.bottom - 5, size=size, bold=bold)


def svg(picture: Picture, theme: Theme = Theme.READERS) -> str:
    """Return a picture as SVG.

    Args:
        picture: A chart or a table.
        theme: Which colours it has; by default those of the reader's screen, dark or light.
    """
    sheet = _Sheet()
    sheet.paragraph(picture.title, size=TITLE, bold=True)
    sheet.bottom += 8
    if isinstance(picture, Chart):
        _draw_chart(sheet, picture)
    else:
        _draw_table(sheet, picture)
    sheet.bottom += 8
    for line in picture.said:
        sheet.paragraph(line)
    height = _number(sheet.bottom + MARGIN)
    described = html.escape("\n".join(lines(picture)), quote=False)
    size = f'width="{WIDTH}" height="{height}"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} viewBox="0 0 {WIDTH} {height}">',
        f"<title>{html.escape(printable(picture.title), quote=False)}</title>",
        f"<desc>{described}</desc>",
        f"<style>{style(theme)}</style>",
        f'<g font-family="{FAMILY}">',
        f'<rect class="hl-ground" fill="currentColor" {size}/>',
        *sheet.elements,
        "</g>",
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class _Plot:
    """The place of a chart on the sheet, and where its values stand."""

    x: Axis
    y: Axis
    top: float
    left: float = PLOT_LEFT
    right: float = WIDTH - MARGIN - 10.0

    @property
    def foot(self) -> float:
        return self.top + PLOT_HEIGHT

    def across(self, value: float) -> float:
        return self.left + self.x.place(value) * (self.right - self.left)

    def up(self, value: float) -> float:
        return self.foot - self.y.place(value) * PLOT_HEIGHT


def _draw_chart(sheet: _Sheet, chart: Chart) -> None:
    lanes = _lanes([_Plot(chart.x, chart.y, 0).across(note.x) for note in chart.notes])
    deepest = max(lanes, default=-1) + 1
    plot = _Plot(chart.x, chart.y, sheet.bottom + deepest * (TAG + 3) + 10)
    _draw_axes(sheet, plot)
    for number, (note, lane) in enumerate(zip(chart.notes, lanes, strict=True), 1):
        _draw_tag(sheet, plot, plot.across(note.x), str(number), plot.top - (lane + 1) * (TAG + 3))
    for number, series in enumerate(chart.series):
        _draw_series(sheet, plot, series, number % len(SERIES))
    sheet.bottom = plot.foot + 3 * LINE
    for number, series in enumerate(chart.series):
        colour, dashes = number % len(SERIES), DASHES[number % len(SERIES)]
        middle = sheet.bottom + LINE / 2
        _path(sheet, f"M{MARGIN} {_number(middle)}H{MARGIN + 34}", colour, dashes)
        sheet.paragraph(": ".join(filter(None, (series.name, series.detail))), x=MARGIN + 44.0)
    for number, note in enumerate(chart.notes, 1):
        _draw_number(sheet, MARGIN + 17.0, sheet.bottom + 1, str(number))
        sheet.paragraph(note.text, x=MARGIN + 44.0)
    if any(series.censored for series in chart.series):
        sheet.paragraph("| at the end of a curve: what had not happened by then is cut off there.")


def _lanes(places: Sequence[float]) -> list[int]:
    """Return for each tag the lane above the plot in which it meets no other."""
    ends: list[float] = []
    found = []
    for number, place in enumerate(places, 1):
        half = _tag_width(str(number)) / 2 + 1
        lane = next((lane for lane, end in enumerate(ends) if end <= place - half), len(ends))
        ends[lane : lane + 1] = [place + half]
        found.append(lane)
    return found


def _tag_width(text: str) -> float:
    return 10 + len(text) * EM * FONT


def _draw_tag(sheet: _Sheet, plot: _Plot, x: float, text: str, top: float) -> None:
    sheet.add(
        "path",
        class_="hl-quiet",
        stroke="currentColor",
        stroke_dasharray="2 3",
        d=f"M{_number(x)} {_number(top + TAG)}V{_number(plot.foot)}",
    )
    _draw_number(sheet, x, top, text)


def _draw_number(sheet: _Sheet, x: float, top: float, text: str) -> None:
    width = _tag_width(text)
    sheet.add(
        "rect",
        class_="hl-ink",
        fill="currentColor",
        x=x - width / 2,
        y=top,
        width=width,
        height=TAG,
        rx=TAG / 2,
    )
    sheet.write(text, x, top + 13.5, colour="ground", anchor="middle", bold=True)


def _draw_axes(sheet: _Sheet, plot: _Plot) -> None:
    last = plot.foot + LINE
    for value, text in sorted(plot.y.ticks):
        y = plot.up(value)
        _rule(sheet, f"M{_number(plot.left)} {_number(y)}H{_number(plot.right)}")
        if y <= last - LINE:
            last = y
            sheet.write(text, plot.left - 8, y + 4, colour="quiet", anchor="end")
    end = 0.0
    for value, text in sorted(plot.x.ticks):
        x, half = plot.across(value), columns(text) * EM * FONT / 2
        _rule(sheet, f"M{_number(x)} {_number(plot.foot)}v5")
        middle = min(x, WIDTH - 4 - half)
        if middle - half >= end:
            end = middle + half + 8
            sheet.write(text, middle, plot.foot + LINE, colour="quiet", anchor="middle")
    _rule(sheet, f"M{_number(plot.left)} {_number(plot.top)}V{_number(plot.foot)}H{_number(plot.right)}")
    sheet.write(
        plot.x.label, (plot.left + plot.right) / 2, plot.foot + 2 * LINE, colour="quiet", anchor="middle"
    )
    middle = (plot.top + plot.foot) / 2
    sheet.write(plot.y.label, MARGIN, middle, colour="quiet", anchor="middle", turned=True)


def _rule(sheet: _Sheet, d: str) -> None:
    sheet.add("path", class_="hl-grid", fill="none", stroke="currentColor", d=d)


def _path(sheet: _Sheet, d: str, colour: int, dashes: str = "") -> None:
    extra = {"stroke_dasharray": dashes} if dashes else {}
    sheet.add(
        "path", class_=f"hl-series{colour}", fill="none", stroke="currentColor", stroke_width=2, d=d, **extra
    )


def _draw_series(sheet: _Sheet, plot: _Plot, series: Series, colour: int) -> None:
    points = series.points
    if not points:
        return
    if series.shape in {Shape.STEP, Shape.LINE}:
        step = series.shape is Shape.STEP
        band = [point for point in points if point.low is not None and point.high is not None]
        if any(point.low != point.high for point in band):
            above = _line(plot, [(point.x, _end(point, high=True)) for point in band], step=step)
            below = _line(plot, [(point.x, _end(point, high=False)) for point in band], step=step)
            corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in [*above, *reversed([*below])])
            sheet.add(
                "polygon",
                class_=f"hl-series{colour}",
                fill="currentColor",
                fill_opacity="0.14",
                points=corners,
            )
        curve = " ".join(
            f"{_number(x)} {_number(y)}"
            for x, y in _line(plot, [(point.x, point.y) for point in points], step=step)
        )
        _path(sheet, f"M{curve}", colour, DASHES[colour])
    else:
        for point in points:
            _draw_point(sheet, plot, point, colour, bar=series.shape is Shape.BARS)
    if series.censored:
        x, y = plot.across(points[-1].x), plot.up(points[-1].y)
        _path(sheet, f"M{_number(x)} {_number(y - 6)}v12", colour)


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


def _draw_point(sheet: _Sheet, plot: _Plot, point: Point, colour: int, *, bar: bool) -> None:
    x, y = plot.across(point.x), plot.up(point.y)
    look = {"class_": f"hl-series{colour}", "fill": "currentColor"}
    if bar:
        sheet.add("rect", **look, fill_opacity="0.6", x=x - 7, y=y, width=14, height=plot.foot - y)
    else:
        sheet.add("circle", **look, cx=x, cy=y, r=4)
    if point.low is not None and point.high is not None:
        low, high = plot.up(point.low), plot.up(point.high)
        _path(
            sheet,
            f"M{_number(x - 4)} {_number(high)}h8m-4 0V{_number(low)}m-4 0h8",
            colour,
        )


def _draw_table(sheet: _Sheet, table: Table) -> None:
    texts = [list(table.header), *([str(cell) for cell in row] for row in table.rows)]
    widths = _widths(
        [max(columns(printable(text)) for text in column) for column in zip(*texts, strict=True)]
    )
    tones = {Tone.PLAIN: "ink", Tone.GOOD: "good", Tone.BAD: "bad"}
    looks = [["quiet"] * len(widths), *([tones[cell.tone] for cell in row] for row in table.rows)]
    for row, colours in zip(texts, looks, strict=True):
        x, deepest = float(MARGIN), 0
        for text, width, colour in zip(row, widths, colours, strict=True):
            broken = wrapped(text, width)
            deepest = max(deepest, len(broken))
            for number, line in enumerate(broken):
                sheet.write(line, x, sheet.bottom + (number + 1) * LINE - 4, colour=colour)
            x += width * EM * FONT + CELL_GAP
        sheet.bottom += deepest * LINE + 4
        _rule(sheet, f"M{MARGIN} {_number(sheet.bottom)}H{WIDTH - MARGIN}")
        sheet.bottom += 2


def _widths(wanted: list[int]) -> list[int]:
    """Return the columns that each column of a table gets, from 2: what it wants, the widest ones less."""
    wanted = [max(2, each) for each in wanted]
    room = int((WIDTH - 2 * MARGIN - CELL_GAP * (len(wanted) - 1)) / (EM * FONT))
    most = max(wanted)
    while most > 2 and sum(min(each, most) for each in wanted) > room:
        most -= 1
    return [min(each, most) for each in wanted]
