"""What a thing shows of itself: the same blocks as text, and as HTML for a notebook or a page.

The text is what a command prints of the thing where its output is no terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from simulations.drawing.marks import Table
from simulations.terminal_text import printable, printable_lines
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture

__all__ = ["Block", "Covered", "Facts", "Lines", "Sheet", "sheet_text"]


@dataclass(frozen=True)
class Facts:
    """Names and values.

    Attributes:
        rows: A name and a value each; a name is empty where it is that of the row before.
    """

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Lines:
    """Text that stands as it is, its columns under each other.

    Attributes:
        text: The lines.
        title: What stands above them; may be empty.
        wrap: Whether a page breaks long ones, since they have no columns.
        drawn: Whether a picture of the sheet shows the same, so that a page leaves them out.
    """

    text: str
    title: str = ""
    wrap: bool = False
    drawn: bool = False


@dataclass(frozen=True)
class Covered:
    """What a reader should first think about: a page shows it when it is clicked, and text does not show it.

    Attributes:
        name: What it is.
        hint: What to do first, and where it can be read.
        facts: What is covered.
    """

    name: str
    hint: str
    facts: Facts


Block: TypeAlias = Facts | Lines | Covered | Table
"""A part of a sheet; of a table the title is not shown."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a thing shows of itself.

    Attributes:
        title: One line; may be empty.
        blocks: What stands below it, in text as well as in HTML.
        pictures: What only HTML shows besides; each has its own text alternative.
    """

    title: str = ""
    blocks: tuple[Block, ...] = ()
    pictures: tuple[Picture, ...] = ()


def sheet_text(sheet: Sheet) -> str:
    """Return a sheet as printable text, without a line end at its end."""
    title = [printable(sheet.title)] if sheet.title else []
    return "\n".join([*title, *map(_text, sheet.blocks)])


def _text(block: Block) -> str:
    if isinstance(block, Facts):
        return "\n".join(aligned([(name, printable(value)) for name, value in block.rows], gap=2))
    if isinstance(block, Lines):
        return printable_lines("\n".join(filter(None, (block.title, block.text))))
    if isinstance(block, Covered):
        return "\n".join(aligned([(block.name, f"(covered: {printable(block.hint)})")], gap=2))
    cells = [[printable(str(cell)) for cell in row] for row in (block.header, *block.rows)]
    return "\n".join(aligned(cells, gap=2))
