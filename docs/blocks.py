"""A Sphinx extension: blocks of text that nobody has to scroll, at any width; `_static/blocks.css` sets them.

Each line becomes an element that knows where it goes on when it is wrapped. Where the lines of a table are
wider than a telephone, their cells become elements too, so that a browser wraps each within its column, or
writes each below the other behind the head of its column.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes

from simulations.drawing.lettering import hanging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

NARROW: Final = 56
"""Columns of 11 pixels, the least that can be read, which fit on a telephone 390 pixels wide."""
RECORDS: Final = 200
"""Columns of a table, twice what fits anywhere; of a wider one each cell is written below the other."""
_BOX: Final = re.compile("[\u2500-\u257f]")
_CODE: Final = frozenset({"python", "python3", "ipython3", "default", "toml", "yaml", "json"})
_BLOCK: Final = re.compile(
    r'(?P<start><div class="[^"]*highlight-(?P<language>[\w-]+)[^"]*">'
    r'<div class="highlight"><pre>(?:<span></span>)?)(?P<lines>.*?)</pre>',
    re.DOTALL,
)
_RULER: Final = re.compile(r"([=_-])\1{4,}(?: .* \1{4,})?")
"""A line across the terminal, with or without a title in its middle."""
_PLAIN: Final = re.compile(r'(?:<span class="go">(?P<printed>[^<]*)</span>)?(?P<bare>[^<]*)')
"""A line in one colour."""


@dataclass(frozen=True)
class Line:
    """A line of a block.

    Attributes:
        markup: The line as HTML.
        text: What is read of it.
    """

    markup: str
    text: str

    @classmethod
    def of(cls, markup: str) -> Line:
        """Return the line that some HTML shows."""
        return cls(markup, html.unescape(re.sub("<[^>]*>", "", markup)))

    @property
    def may_be_a_row(self) -> bool:
        """Whether it can be cut into cells: it has a text in one colour, is not typed and has no rules."""
        return bool(self.text.strip() and _PLAIN.fullmatch(self.markup) and not _BOX.search(self.text))

    def cut(self, columns: list[int]) -> list[Line]:
        """Return its cells, cut before each of some columns."""
        match = _PLAIN.fullmatch(self.markup)
        form = '<span class="go">{}</span>' if match is not None and match["printed"] else "{}"
        texts = [self.text[start:end] for start, end in zip(columns, [*columns[1:], None], strict=True)]
        return [Line(form.format(html.escape(text)), text) for text in texts]


def columns_of(lines: list[str]) -> list[int]:
    """Return where the columns of a table begin: behind a blank in every line, and in two behind a gap.

    A table has three columns or more; of what is none, the first column is returned.
    """
    width = max(map(len, lines))
    padded = [f"{line:{width}}" for line in lines]
    starts = [
        column
        for column in range(2, width)
        if all(line[column - 1] == " " for line in padded)
        and sum(_begins_a_cell(line, column) for line in padded) > 1
    ]
    return [0, *starts] if len(starts) > 1 else [0]


def _begins_a_cell(line: str, column: int) -> bool:
    return line[column - 2 : column] == "  " and line[column] != " " and bool(line[:column].strip())


def laid_out(page: str) -> str:
    """Return a page in HTML in which the lines of each block, and the cells of wide tables, are elements."""
    return _BLOCK.sub(_laid_out, page)


def _laid_out(block: re.Match[str]) -> str:
    lines = [Line.of(line) for line in block["lines"].removesuffix("\n").split("\n")]
    is_code = block["language"] in _CODE
    groups = groupby(lines, key=lambda line: line.may_be_a_row and not is_code)
    return block["start"] + "".join(_group([*group], is_code=is_code) for _, group in groups) + "</pre>"


def _group(lines: list[Line], *, is_code: bool) -> str:
    texts = [line.text for line in lines]
    width = max(map(len, texts))
    columns = columns_of(texts) if width > NARROW and not is_code and lines[0].may_be_a_row else [0]
    if len(columns) == 1:
        return "".join(_line(line, is_code=is_code) for line in lines)
    rows = [line.cut(columns) for line in lines]
    kind = "rows records" if width > RECORDS else "rows stacked" if _is_stacked(rows) else "rows"
    return f'<span class="{kind}">{"".join(_row(row, rows[0]) for row in rows)}</span>'


def _line(line: Line, *, is_code: bool) -> str:
    if _RULER.fullmatch(line.text):
        return f'<span class="line ruler">{line.markup}\n</span>'
    indent = len(line.text) - len(line.text.lstrip())
    columns = indent + 4 if is_code else hanging(line.text)
    return f'<span class="line" style="--hang:{columns}">{line.markup}\n</span>'


def _row(cells: list[Line], heads: list[Line]) -> str:
    ends = [*[""] * (len(cells) - 1), "\n"]
    spans = (
        f'<span class="in-column" data-head="{html.escape(head.text.strip())}">{cell.markup}{end}</span>'
        for cell, head, end in zip(cells, heads, ends, strict=True)
    )
    return f'<span class="line">{"".join(spans)}</span>'


def _is_stacked(rows: list[list[Line]]) -> bool:
    """Whether the columns fit on no telephone, even if each is as wide as its longest word."""
    columns = zip(*rows, strict=True)
    widths = [max(len(word) for cell in column for word in cell.text.split() or [""]) for column in columns]
    return sum(widths) + len(widths) - 1 > NARROW


def _tell_how_wide(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Give each block a class for its longest line; blocks.css sets it in a size that fits."""
    for block in doctree.findall(nodes.literal_block):
        columns = max(map(len, block.astext().splitlines()), default=0)
        block["classes"].append(f"columns-{min(max(-(-columns // 10) * 10, 50), 110)}")


def _lay_out(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    if "body" in context:
        context["body"] = laid_out(context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect what Sphinx calls once a page is complete, and once it is HTML."""
    app.connect("doctree-resolved", _tell_how_wide)
    app.connect("html-page-context", _lay_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
