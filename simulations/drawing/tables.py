"""A table on a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.canvas import FONT, LINE, MARGIN, digits
from simulations.drawing.lettering import EM, wrapped
from simulations.drawing.marks import Tone
from simulations.terminal_text import printable
from simulations.text_columns import columns

if TYPE_CHECKING:
    from simulations.drawing.canvas import Canvas
    from simulations.drawing.marks import Table

CELL_GAP: Final = 16


def draw_table(canvas: Canvas, table: Table) -> None:
    """Draw a table below what is there."""
    texts = [list(table.header), *([str(cell) for cell in row] for row in table.rows)]
    widths = _widths(
        [max(columns(printable(text)) for text in column) for column in zip(*texts, strict=True)],
        canvas.right - MARGIN,
    )
    tones = {Tone.PLAIN: "ink", Tone.GOOD: "good", Tone.BAD: "bad"}
    looks = [["quiet"] * len(widths), *([tones[cell.tone] for cell in row] for row in table.rows)]
    for row, colours in zip(texts, looks, strict=True):
        x, deepest = float(MARGIN), 0
        for text, width, colour in zip(row, widths, colours, strict=True):
            broken = wrapped(text, width)
            deepest = max(deepest, len(broken))
            for number, line in enumerate(broken):
                canvas.write(line, x, canvas.bottom + (number + 1) * LINE - 4, colour=colour)
            x += width * EM * FONT + CELL_GAP
        canvas.down(deepest * LINE + 4)
        canvas.rule(f"M{MARGIN} {digits(canvas.bottom)}H{digits(canvas.right)}")
        canvas.down(2)


def _widths(wanted: list[int], width: float) -> list[int]:
    """Return the columns that each column of a table gets, from 2: what it wants, the widest ones less."""
    wanted = [max(2, each) for each in wanted]
    room = int((width - CELL_GAP * (len(wanted) - 1)) / (EM * FONT))
    most = max(wanted)
    while most > 2 and sum(min(each, most) for each in wanted) > room:
        most -= 1
    return [min(each, most) for each in wanted]
