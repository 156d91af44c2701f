"""A picture as a piece of HTML, and pictures as a page that needs nothing but itself."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from simulations.drawing.lettering import FAMILY
from simulations.drawing.marks import Chart, Tone
from simulations.drawing.palette import style
from simulations.drawing.svg import svg
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from simulations.drawing.marks import Cell, Picture, Table

__all__ = ["fragment", "page"]

_TABLE: Final = (
    ".hl-table{border-collapse:collapse;text-align:left}"
    ".hl-table caption{font-weight:bold;text-align:left;padding:.4em 0}"
    ".hl-table th,.hl-table td{border-bottom:1px solid;padding:.3em .8em .3em 0;vertical-align:top;"
    "overflow-wrap:anywhere;text-align:left}"
)
_CLASSES: Final = {Tone.GOOD: ' class="hl-good"', Tone.BAD: ' class="hl-bad"', Tone.PLAIN: ""}


def fragment(picture: Picture) -> str:
    """Return a piece of HTML: a chart as SVG, a table as a table; it fetches nothing and runs no script."""
    if isinstance(picture, Chart):
        return f'<figure style="margin:0;overflow-x:auto">\n{svg(picture)}</figure>\n'
    said = "".join(f"<p>{_escaped(line)}</p>\n" for line in picture.said)
    return f"<style>{style()}{_TABLE}</style>\n{_table(picture)}{said}"


def page(title: str, *pictures: Picture) -> str:
    """Return a page of pictures that stands alone.

    Args:
        title: The title of the page.
        pictures: What is on it.
    """
    body = "".join(map(fragment, pictures))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_escaped(title)}</title>\n"
        f"<style>body{{font-family:{FAMILY};margin:1em auto;max-width:60em;padding:0 1em}}</style>\n"
        f"</head>\n<body>\n<h1>{_escaped(title)}</h1>\n{body}</body>\n</html>\n"
    )


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in table.header)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in table.rows)
    return (
        f'<table class="hl-table">\n<caption>{_escaped(table.title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )


def _cell(cell: Cell) -> str:
    return f"<td{_CLASSES[cell.tone]}>{_escaped(str(cell))}</td>"
