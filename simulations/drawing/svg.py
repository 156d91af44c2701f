"""A picture as SVG: no script, nothing fetched, a text alternative, and the same bytes each time.

Text is set in a monospaced font, so that its room is known without that font, and nothing collides: what is
too long is broken into lines; notes get numbers in the picture and their text below; of marks of an axis that
are too close, one is left out.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from simulations.drawing.canvas import MARGIN, TITLE, WIDTH, Canvas, digits
from simulations.drawing.charts import draw_chart
from simulations.drawing.diagrams import draw_diagram
from simulations.drawing.lanes import draw_lanes
from simulations.drawing.lettering import FAMILY
from simulations.drawing.marks import Chart, Diagram, Lanes, Table
from simulations.drawing.palette import Theme, style
from simulations.drawing.tables import draw_table
from simulations.drawing.text import lines
from simulations.drawing.tracks import draw_tracks
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture

__all__ = ["Theme", "svg"]


def svg(picture: Picture, theme: Theme = Theme.READERS, *, width: int = WIDTH) -> str:
    """Return a picture as SVG.

    Args:
        picture: What is drawn.
        theme: Which colours it has; by default those of the reader's screen, dark or light.
        width: Units across, from 300; text has 13 of them a line.
    """
    canvas = Canvas(width)
    canvas.paragraph(picture.title, size=TITLE, bold=True)
    canvas.down(8)
    _draw(canvas, picture)
    canvas.down(8)
    for line in picture.said:
        canvas.paragraph(line)
    height = digits(canvas.bottom + MARGIN)
    described = html.escape("\n".join(lines(picture)), quote=False)
    size = f'width="{width}" height="{height}"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} viewBox="0 0 {width} {height}">',
        f"<title>{html.escape(printable(picture.title), quote=False)}</title>",
        f"<desc>{described}</desc>",
        f"<style>{style(theme)}</style>",
        f'<g font-family="{FAMILY}">',
        f'<rect class="hl-ground" fill="currentColor" {size}/>',
        *canvas.elements,
        "</g>",
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _draw(canvas: Canvas, picture: Picture) -> None:
    if isinstance(picture, Chart):
        draw_chart(canvas, picture)
    elif isinstance(picture, Table):
        draw_table(canvas, picture)
    elif isinstance(picture, Lanes):
        draw_lanes(canvas, picture)
    elif isinstance(picture, Diagram):
        draw_diagram(canvas, picture)
    else:
        draw_tracks(canvas, picture)
