"""Runs on a sheet, with a lane for each actor: two runs beside each other where there is room."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulations.drawing.canvas import FONT, LINE, MARGIN, digits, fits
from simulations.drawing.lettering import EM, wrapped
from simulations.drawing.marks import PARTS, Tone
from simulations.drawing.palette import SERIES
from simulations.terminal_text import printable
from simulations.text_columns import columns

if TYPE_CHECKING:
    from simulations.drawing.canvas import Canvas
    from simulations.drawing.marks import Lanes, Sequence, Step

LANE_WIDTH_MIN: Final = 150
"""Two runs stand beside each other where each of their lanes is as wide as this."""
LANE_WIDTH_LEAST: Final = 90
"""Lanes that would be narrower are not drawn: each step is a line with the name of its lane."""
GAP: Final = 24
PAD: Final = 8
COLOURS: Final = {Tone.PLAIN: "ink", Tone.GOOD: "good", Tone.BAD: "bad"}


class _Panel:
    """The place of one run on the sheet."""

    def __init__(self, run: Sequence, left: float, right: float) -> None:
        self.run, self.left, self.right = run, left, right
        times = max((columns(printable(step.at)) for step in run.steps), default=0)
        times = max(times, columns(printable(run.unit)) if times else 0)
        self.first = left + (times * EM * FONT + PAD if times else 0)
        self.wide = (right - self.first) / len(run.lanes)

    def lane(self, number: int) -> float:
        """Return where a lane begins."""
        return self.first + number * self.wide

    def broken(self, step: Step) -> list[str]:
        """Return the text of a step as lines that fit into its lane."""
        return wrapped(f"{step.tone} {step.text}".strip(), fits(self.wide - 2 * PAD - 6))


def draw_lanes(canvas: Canvas, picture: Lanes) -> None:
    """Draw runs below what is there; the first step in which they differ is marked."""
    room = (canvas.right - MARGIN - GAP) / 2
    if len(picture.runs) == 2 and room / max(len(run.lanes) for run in picture.runs) >= LANE_WIDTH_MIN:
        left, right = picture.runs
        panels = [_Panel(left, MARGIN, MARGIN + room), _Panel(right, canvas.right - room, canvas.right)]
        _draw(canvas, panels, picture.parts_at)
    else:
        for run in picture.runs:
            if (canvas.right - MARGIN) / len(run.lanes) >= LANE_WIDTH_LEAST:
                _draw(canvas, [_Panel(run, MARGIN, canvas.right)], picture.parts_at)
            else:
                _list(canvas, run, picture.parts_at)
            canvas.down(LINE / 2)


def _list(canvas: Canvas, run: Sequence, parts_at: int | None) -> None:
    canvas.paragraph(f"{run.tone} {run.title}", colour=COLOURS[run.tone], bold=True)
    for row, step in enumerate(run.steps):
        if row == parts_at:
            canvas.paragraph(PARTS, colour="quiet")
        words = f"{step.at} {run.lanes[step.lane]}: {step.tone} {step.text}"
        canvas.paragraph(" ".join(words.split()), colour=f"series{step.lane % len(SERIES)}")
    if run.ended:
        canvas.paragraph(run.ended, colour=COLOURS[run.tone])


def _draw(canvas: Canvas, panels: list[_Panel], parts_at: int | None) -> None:
    _heads(canvas, panels)
    top = canvas.bottom
    places: list[list[tuple[float, float, float]]] = [[] for _ in panels]
    for row in range(max(len(panel.run.steps) for panel in panels)):
        if row == parts_at:
            _part(canvas, panels)
        deepest = 0.0
        for panel, path in zip(panels, places, strict=True):
            if row < len(panel.run.steps):
                deepest = max(deepest, _step(canvas, panel, panel.run.steps[row], path))
        canvas.down(deepest + 6)
    _threads(canvas, panels, places, top, parts_at)
    for panel in panels:
        if panel.run.ended:
            _block(canvas, panel, panel.run.ended, COLOURS[panel.run.tone])
    canvas.down(max(_deep(panel) for panel in panels))


def _deep(panel: _Panel) -> float:
    return LINE * len(wrapped(panel.run.ended, fits(panel.right - panel.left))) if panel.run.ended else 0


def _block(canvas: Canvas, panel: _Panel, text: str, colour: str, *, bold: bool = False) -> float:
    """Write a text over the whole width of a run, without going down; return how deep it is."""
    broken = wrapped(text, fits(panel.right - panel.left))
    for rank, line in enumerate(broken):
        canvas.write(line, panel.left, canvas.bottom + (rank + 1) * LINE - 5, colour=colour, bold=bold)
    return LINE * len(broken)


def _heads(canvas: Canvas, panels: list[_Panel]) -> None:
    titles = [f"{panel.run.tone} {panel.run.title}" for panel in panels]
    canvas.down(
        max(
            _block(canvas, panel, title, COLOURS[panel.run.tone], bold=True)
            for panel, title in zip(panels, titles, strict=True)
        )
    )
    deepest = 0
    for panel in panels:
        if panel.first > panel.left:
            canvas.write(
                panel.run.unit, panel.first - PAD, canvas.bottom + LINE - 5, colour="quiet", anchor="end"
            )
        for number, name in enumerate(panel.run.lanes):
            broken = wrapped(name, fits(panel.wide - PAD))
            deepest = max(deepest, len(broken))
            for rank, line in enumerate(broken):
                x, y = panel.lane(number) + PAD, canvas.bottom + (rank + 1) * LINE - 5
                canvas.write(line, x, y, colour=f"series{number % len(SERIES)}", bold=True)
    canvas.down(deepest * LINE + 4)


def _part(canvas: Canvas, panels: list[_Panel]) -> None:
    """Mark that from here on the runs differ."""
    canvas.down(LINE)
    left, right = panels[0].left, panels[-1].right
    canvas.write(PARTS, left, canvas.bottom - 5, colour="quiet")
    begin = left + (columns(PARTS) + 1) * EM * FONT
    canvas.line(f"M{digits(begin)} {digits(canvas.bottom - 9)}H{digits(right)}", "quiet", "6 4", thick=1)
    canvas.down(4)


def _step(canvas: Canvas, panel: _Panel, step: Step, path: list[tuple[float, float, float]]) -> float:
    """Draw a step without going down; return how deep it is."""
    broken = panel.broken(step)
    x, deep = panel.lane(step.lane), LINE * len(broken) + 4.0
    colour = "bad" if step.tone is Tone.BAD else f"series{step.lane % len(SERIES)}"
    canvas.add(
        "rect",
        class_=f"hl-{colour}",
        fill="currentColor",
        fill_opacity="0.12",
        x=x + PAD / 2,
        y=canvas.bottom,
        width=panel.wide - PAD,
        height=deep,
        rx=3,
    )
    canvas.line(f"M{digits(x + PAD / 2)} {digits(canvas.bottom)}v{digits(deep)}", colour, thick=3)
    if step.at:
        canvas.write(step.at, panel.first - PAD, canvas.bottom + LINE - 4, colour="quiet", anchor="end")
    for rank, line in enumerate(broken):
        tone = "bad" if step.tone is Tone.BAD else "ink"
        canvas.write(line, x + PAD + 4, canvas.bottom + (rank + 1) * LINE - 4, colour=tone)
    path.append((x + PAD / 2, canvas.bottom, canvas.bottom + deep))
    return deep


def _threads(
    canvas: Canvas,
    panels: list[_Panel],
    places: list[list[tuple[float, float, float]]],
    top: float,
    parts_at: int | None,
) -> None:
    """Draw how the turn goes from step to step, except across the mark, and the edges of the lanes."""
    for panel, path in zip(panels, places, strict=True):
        for number in range(1, len(panel.run.lanes)):
            x = panel.lane(number)
            canvas.rule(f"M{digits(x - PAD / 2)} {digits(top)}V{digits(canvas.bottom - 6)}")
        for row, ((x, _, foot), (to, head, _)) in enumerate(pairwise(path), 1):
            if row == parts_at:
                continue
            canvas.line(f"M{digits(x)} {digits(foot)}L{digits(to)} {digits(head)}", "quiet", thick=1)
