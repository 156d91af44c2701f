"""States on a sheet, in a row, and what leads from one to another as arcs: to the right above, back below.

Where the row is too wide for the sheet, each state stands in a line with what leads away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulations.drawing.canvas import FONT, LINE, MARGIN, digits
from simulations.drawing.lettering import EM
from simulations.terminal_text import printable
from simulations.text_columns import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.drawing.canvas import Canvas
    from simulations.drawing.marks import Diagram, Edge

BOX: Final = 34
"""The height of a state."""
GAP_MIN: Final = 26
PORT: Final = 14
"""From one end of an arc to the next, at one state."""
LANE: Final = LINE + 5
SIGNS: Final = {False: "series0", True: "bad"}


def draw_diagram(canvas: Canvas, picture: Diagram) -> None:
    """Draw a diagram below what is there."""
    row = _row(canvas, picture)
    if row is None:
        _list(canvas, picture)
        return
    above, below = (_lanes(canvas, row, upper=upper) for upper in (True, False))
    top = canvas.bottom + LINE + LANE * _depth(above) + 8
    foot = top + BOX + LANE * _depth(below) + 8
    _island(canvas, row, canvas.bottom, foot)
    sides = ((above, top, -LANE), (below, top + BOX, LANE))
    for draw in (_draw_arc, _label):  # a label is not crossed by the lines of other arcs
        for arcs, edge, step in sides:
            for arc in arcs:
                draw(canvas, arc, edge, step)
    for box in row.boxes:
        _draw_box(canvas, box, top)
    canvas.go(foot)


@dataclass(frozen=True)
class _Box:
    """A state: where it is, and whether it stands apart."""

    name: str
    island: bool
    left: float
    width: float

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


@dataclass(frozen=True)
class _Row:
    """The states in a row."""

    picture: Diagram
    boxes: tuple[_Box, ...]


@dataclass(frozen=True)
class _Arc:
    """An arc: its ends, its label, and how many lanes it is away from the states."""

    begin: float
    end: float
    label: str
    middle: float
    lane: int = 0

    @property
    def reach(self) -> tuple[float, float]:
        """How far it and its label reach to the left and to the right."""
        half = columns(self.label) * EM * FONT / 2 + 4
        return min(self.begin, self.end, self.middle - half), max(self.begin, self.end, self.middle + half)


def _is_above(edge: Edge) -> bool:
    return edge.target >= edge.source


def _row(canvas: Canvas, picture: Diagram) -> _Row | None:
    """Return the states in a row, those that stand apart last; None where there is no room."""
    widths = []
    for number, node in enumerate(picture.nodes):
        ends = [
            sum(
                (edge.source == number) + (edge.target == number)
                for edge in picture.edges
                if _is_above(edge) is up
            )
            for up in (True, False)
        ]
        widths.append(max(columns(printable(node.name)) * EM * FONT + 18, PORT * (max(ends) + 1.0)))
    room = canvas.right - MARGIN
    longest = max((columns(printable(edge.label)) * EM * FONT + 8 for edge in picture.edges), default=0)
    if not widths or sum(widths) + GAP_MIN * (len(widths) + 1) > room or longest > room:
        return None
    gap = (room - sum(widths)) / (len(widths) + 1)
    boxes, left = [], MARGIN + gap
    for node, width in zip(picture.nodes, widths, strict=True):
        boxes.append(_Box(node.name, node.island, left, width))
        left += width + gap
    return _Row(picture, tuple(boxes))


def _lanes(canvas: Canvas, row: _Row, *, upper: bool) -> list[_Arc]:
    """Return the arcs of one side, so that neither arcs nor labels of one lane meet."""
    edges = [edge for edge in row.picture.edges if _is_above(edge) is upper]
    ends = [(number, place) for number, edge in enumerate(edges) for place in (0, 1)]
    ports: dict[tuple[int, int], float] = {}
    for node, box in enumerate(row.boxes):
        mine = [
            (edges[number].target if place == 0 else edges[number].source, place, number)
            for number, place in ends
            if (edges[number].source if place == 0 else edges[number].target) == node
        ]
        for rank, (_, place, number) in enumerate(sorted(mine)):
            ports[number, place] = box.left + box.width * (rank + 1) / (len(mine) + 1)
    free = []
    for number, edge in enumerate(edges):
        begin, end = ports[number, 0], ports[number, 1]
        half = columns(printable(edge.label)) * EM * FONT / 2 + 4
        middle = max(MARGIN + half, min((begin + end) / 2, canvas.right - half))
        free.append(_Arc(begin, end, printable(edge.label), middle))
    placed: list[_Arc] = []
    for arc in sorted(free, key=lambda arc: (abs(arc.end - arc.begin), arc.begin, arc.end)):
        low, high = arc.reach
        taken = {other.lane for other in placed if other.reach[0] < high + 8 and low < other.reach[1] + 8}
        lane = next(lane for lane in range(len(placed) + 1) if lane not in taken)
        placed.append(_Arc(arc.begin, arc.end, arc.label, arc.middle, lane))
    return placed


def _depth(arcs: Sequence[_Arc]) -> int:
    return max((arc.lane + 1 for arc in arcs), default=0)


def _draw_arc(canvas: Canvas, arc: _Arc, edge: float, step: int) -> None:
    """Draw an arc from the edge of the states: its lines, and the head of its arrow."""
    y = _height(arc, edge, step)
    corner = min(6.0, abs(arc.end - arc.begin) / 2)
    side, way = (1 if arc.end >= arc.begin else -1), (1 if step < 0 else -1)
    canvas.line(
        f"M{digits(arc.begin)} {digits(edge)}V{digits(y + way * corner)}"
        f"q0 {digits(-way * corner)} {digits(side * corner)} {digits(-way * corner)}"
        f"H{digits(arc.end - side * corner)}"
        f"q{digits(side * corner)} 0 {digits(side * corner)} {digits(way * corner)}V{digits(edge)}",
        "quiet",
        thick=1.2,
    )
    head = f"M{digits(arc.end)} {digits(edge)}l-4 {digits(-way * 8)}h8z"
    canvas.add("path", class_="hl-quiet", fill="currentColor", d=head)


def _height(arc: _Arc, edge: float, step: int) -> float:
    return edge + step * (arc.lane + 0.75)


def _label(canvas: Canvas, arc: _Arc, edge: float, step: int) -> None:
    """Write the label of an arc onto it."""
    y, room = _height(arc, edge, step), columns(arc.label) * EM * FONT
    if room:
        canvas.add(
            "rect",
            class_="hl-ground",
            fill="currentColor",
            x=arc.middle - room / 2 - 2,
            y=y - 8,
            width=room + 4,
            height=16,
        )
        canvas.write(arc.label, arc.middle, y + 4, anchor="middle")


def _draw_box(canvas: Canvas, box: _Box, top: float) -> None:
    extra = {"stroke_dasharray": "5 3"} if box.island else {}
    place = {"x": box.left, "y": top, "width": box.width, "height": BOX, "rx": 4 if box.island else 10}
    canvas.add("rect", class_="hl-ground", fill="currentColor", **place)
    canvas.add(
        "rect",
        class_=f"hl-{SIGNS[box.island]}",
        fill="none",
        stroke="currentColor",
        stroke_width=2,
        **place,
        **extra,
    )
    canvas.write(box.name, box.middle, top + BOX / 2 + 5, anchor="middle", bold=True)


def _island(canvas: Canvas, row: _Row, top: float, foot: float) -> None:
    """Draw the ground of what stands apart, and what it is."""
    apart = [box for box in row.boxes if box.island]
    if not apart:
        return
    left = min(box.left for box in apart) - GAP_MIN / 2
    canvas.add(
        "rect",
        class_="hl-bad",
        fill="currentColor",
        fill_opacity="0.09",
        x=left,
        y=top,
        width=canvas.right - left,
        height=foot - top,
        rx=8,
    )
    room = columns(printable(row.picture.island)) * EM * FONT
    canvas.write(
        row.picture.island, max(float(MARGIN), canvas.right - 8 - room), top + LINE - 4, colour="bad"
    )


def _list(canvas: Canvas, picture: Diagram) -> None:
    """Write each state, and below it what leads away from it."""
    apart = False
    for number, node in enumerate(picture.nodes):
        if node.island and not apart:
            canvas.paragraph(picture.island, colour="bad")
        apart = node.island
        canvas.down(4)
        canvas.paragraph(node.name, bold=True, colour=SIGNS[node.island])
        for edge in picture.edges:
            if edge.source == number:
                canvas.paragraph(f"→ {picture.nodes[edge.target].name}: {edge.label}", x=MARGIN + 20.0)
