"""A picture as a piece of HTML, and pictures as a page that needs nothing but itself."""

from __future__ import annotations

import html
import re
from itertools import count
from typing import TYPE_CHECKING, Final

from simulations.drawing.canvas import NARROW
from simulations.drawing.lettering import FAMILY, columns, hanging
from simulations.drawing.marks import Table, Tone
from simulations.drawing.palette import COLOURS, host_style, style
from simulations.drawing.sheet import Covered, Facts, Lines
from simulations.drawing.svg import svg
from simulations.terminal_text import printable, printable_lines

if TYPE_CHECKING:
    from simulations.drawing.marks import Cell, Picture
    from simulations.drawing.sheet import Block, Sheet

__all__ = ["fragment", "page", "report_page", "sheet_html"]

_RULE: Final = "border-bottom:1px solid;border-bottom-color:color-mix(in srgb,currentColor 30%,transparent)"
_TABLE: Final = (
    ".hl-table{border-collapse:collapse;text-align:left}"
    ".hl-table caption{font-weight:bold;text-align:left;padding:.4em 0}"
    ".hl-table .hl-short{white-space:nowrap}"
    # Thrice, since in JupyterLab all that a cell shows would otherwise be set to the right.
    ".hl-table.hl-table.hl-table :is(th,td){text-align:left}"
    f".hl-table th,.hl-table td{{{_RULE};padding:.3em .8em .3em 0;vertical-align:top;"
    "overflow-wrap:break-word}"
    "@media screen and (max-width:640px){.hl-stack thead{display:none}"
    ".hl-stack td,.hl-stack th{display:block;border:0;padding:.1em 0}.hl-stack td:empty{display:none}"
    f".hl-stack tr{{display:block;{_RULE};padding:.4em 0;overflow-wrap:anywhere}}"
    ".hl-stack td[data-hl]::before{content:attr(data-hl) ': ';opacity:.75}}"
)
_SHEET: Final = (
    ".hl-sheet .hl-facts th{white-space:nowrap;font-weight:normal;opacity:.75}"
    ".hl-sheet .hl-facts td{overflow-wrap:anywhere}"
    ".hl-sheet .hl-wrap{white-space:pre-wrap;overflow-wrap:anywhere}"
    ".hl-line{display:block;padding-left:calc(var(--hang)*1ch);text-indent:calc(var(--hang)*-1ch)}"
    # Bars of half the size are bars; in two lines they are not.
    ".hl-bars{white-space:pre}@media screen and (max-width:640px){.hl-bars{font-size:.5em}}"
    f".hl-sheet pre{{overflow-x:auto;font-family:{FAMILY};font-size:.8rem}}"
    "@media screen and (max-width:640px){.hl-sheet pre{font-size:.7rem}}"
    ".hl-sheet summary{cursor:pointer}"
)
_BODY: Final = (
    f"body{{font-family:{FAMILY};line-height:1.45;margin:1em auto;max-width:60em;padding:0 1em;"
    f"--ground:{COLOURS['ground'][0]};background:var(--ground);color:{COLOURS['ink'][0]}}}"
    "@media screen and (prefers-color-scheme:dark){"
    f"body{{--ground:{COLOURS['ground'][1]};color:{COLOURS['ink'][1]}}}}}"
    # Where a block scrolls, a shadow at its side says that there is more.
    "@media screen{pre{--shade:color-mix(in srgb,currentColor 45%,transparent);background:"
    "linear-gradient(to right,var(--ground) 40%,transparent) 0 0/2.5rem 100% no-repeat local,"
    "linear-gradient(to left,var(--ground) 40%,transparent) 100% 0/2.5rem 100% no-repeat local,"
    "linear-gradient(to right,var(--shade),transparent) 0 0/.75rem 100% no-repeat,"
    "linear-gradient(to left,var(--shade),transparent) 100% 0/.75rem 100% no-repeat}}"
    # On paper no picture and no line is broken, and what stands above something stays with it.
    "@media print{body{max-width:none;margin:0;padding:0}h1,h2,caption,p:has(+pre),"
    "thead,tr:first-child{break-after:avoid}"
    "figure,tr,.hl-line{break-inside:avoid}figure svg{max-height:250mm}pre{white-space:pre-wrap}}"
    "h1,h2{overflow-wrap:anywhere}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
)
_WIDTHS: Final = (
    ".hl-wide svg,.hl-narrow svg{max-width:100%;height:auto}.hl-narrow{display:none}"
    "@media screen and (max-width:640px){.hl-wide{display:none}.hl-narrow{display:block}}"
)
_GRID_COLUMNS_MAX: Final = 38
"""Columns of text that a telephone shows; a table that needs more has its cells below each other there, and a
title that does not is not broken."""
_SHORT_COLUMNS_MAX: Final = 12
"""A cell at the beginning of a row that is not wider, such as a time, is not broken."""
_BARS: Final = re.compile("[\u2581-\u2588][\u2581-\u2588 ]*[\u2581-\u2588]")
_CLASSES: Final = {Tone.GOOD: "hl-good", Tone.BAD: "hl-bad", Tone.PLAIN: ""}


def fragment(picture: Picture) -> str:
    """Return a piece of HTML, which fetches nothing and runs no script: a table as such, all else as SVG.

    The SVG is there twice, for a screen and for a telephone; one of them is shown.
    """
    if not isinstance(picture, Table):
        wide, narrow = svg(picture), svg(picture, width=NARROW)
        return (
            f"<style>{_WIDTHS}{host_style()}</style>\n"
            f'<figure class="hl-wide" style="margin:0">\n{wide}</figure>\n'
            f'<figure class="hl-narrow" style="margin:0">\n{narrow}</figure>\n'
        )
    said = "".join(f"<p>{_escaped(line)}</p>\n" for line in picture.said)
    return f"<style>{style()}{host_style()}{_TABLE}</style>\n{_table(picture)}{said}"


def sheet_html(sheet: Sheet, *, heading: bool = False) -> str:
    """Return a piece of HTML of what a thing shows of itself: its text, escaped, and its pictures.

    Args:
        sheet: What it shows.
        heading: Whether its title is a heading of a page.
    """
    start, end = ("<h2>", "</h2>") if heading else ("<p><strong>", "</strong></p>")
    title = f"{start}{_escaped(sheet.title)}{end}\n" if sheet.title else ""
    body = "".join(map(_block, sheet.blocks))
    pictures = "".join(map(fragment, sheet.pictures))
    look = f"<style>{style()}{_TABLE}{_SHEET}</style>"
    return f'<div class="hl-sheet">\n{look}\n{title}{body}{pictures}</div>\n'


def page(title: str, *pictures: Picture) -> str:
    """Return a page of pictures that stands alone.

    Args:
        title: The title of the page.
        pictures: What is on it.
    """
    said = any(picture.title == title for picture in pictures)
    return _whole(title, "".join(map(fragment, pictures)), heading=not said)


def report_page(title: str, *sheets: Sheet) -> str:
    """Return a page of sheets that stands alone: to be mailed, and to be printed.

    Args:
        title: The title of the page.
        sheets: What is on it; the title of each is a heading.
    """
    return _whole(title, "".join(sheet_html(sheet, heading=True) for sheet in sheets))


def _whole(title: str, body: str, *, heading: bool = True) -> str:
    first = f"<h1>{_escaped(title)}</h1>\n" if heading else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_escaped(title)}</title>\n"
        f"<style>{_BODY}</style>\n"
        f"</head>\n<body>\n{first}{body}</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Facts):
        rows = "".join(
            f'<tr><th scope="row">{_escaped(name)}</th><td>{_escaped(value)}</td></tr>\n'
            for name, value in block.rows
        )
        return f'<table class="hl-table hl-facts hl-stack"><tbody>\n{rows}</tbody></table>\n'
    if isinstance(block, Lines) and block.drawn:
        return ""
    if isinstance(block, Lines):
        title = f"<p>{_escaped(block.title)}</p>\n" if block.title else ""
        text = printable_lines(block.text)
        return f"{title}{_wrapping(text)}\n" if block.wrap else f"{title}<pre>{html.escape(text)}</pre>\n"
    if isinstance(block, Covered):
        opened = f"{_escaped(block.name)} ({_escaped(block.hint)})"
        return f"<details><summary>{opened}</summary>\n{_block(block.facts)}</details>\n"
    return _table(block)


def _wrapping(text: str) -> str:
    """Return lines that are broken where they are too long, the rest of each below its last cell."""
    lines = (
        f'<span class="hl-line" style="--hang:{hanging(line)}">'
        + _BARS.sub(r'<span class="hl-bars">\g<0></span>', html.escape(line))
        + "\n</span>"
        for line in text.split("\n")
    )
    return f'<pre class="hl-wrap">{"".join(lines)}</pre>'


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in table.header)
    names = [html.escape(printable(name)) for name in table.header]
    rows = "".join(
        f"<tr>{''.join(_cell(*each) for each in zip(row, names, count(), strict=False))}</tr>\n"
        for row in table.rows
    )
    cells = zip(table.header, *([str(cell) for cell in row] for row in table.rows), strict=True)
    wanted = sum(max(columns(printable(text)) for text in column) + 1 for column in cells)
    stack = " hl-stack" if wanted > _GRID_COLUMNS_MAX else ""
    short = ' class="hl-short"' if columns(printable(table.title)) <= _GRID_COLUMNS_MAX else ""
    caption = f"<caption{short}>{_escaped(table.title)}</caption>\n" if table.title else ""
    return (
        f'<div style="overflow-x:auto"><table class="hl-table{stack}">\n{caption}'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )


def _cell(cell: Cell, name: str, place: int) -> str:
    text = _escaped(str(cell))
    short = "hl-short" if place == 0 and columns(printable(str(cell))) <= _SHORT_COLUMNS_MAX else ""
    classes = " ".join(filter(None, (_CLASSES[cell.tone], short)))
    said = f' class="{classes}"' if classes else ""
    return f'<td{said} data-hl="{name}">{text}</td>'
