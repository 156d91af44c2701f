"""How commands print: tables and colour on a terminal, aligned lines of plain text elsewhere.

It imports nothing of the engine, so that a command which needs none of it starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from simulations.text_columns import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on the standard output."""
    console = Console()
    rows = [[printable(cell) for cell in row] for row in rows]
    if not console.is_terminal:
        for line in aligned([header, *rows], gap=2):
            print(line)
        return
    table = Table()
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def print_facts(facts: Sequence[tuple[str, str]], *, console: Console | None = None, indent: int = 0) -> None:
    """Print names and values: wrapped beside each other on a terminal, a line each elsewhere.

    Args:
        facts: At least one name with its value; the name may be empty.
        console: Where to print; None is the standard output.
        indent: The number of spaces in front.
    """
    console = console or Console()
    facts = [(name, printable(value)) for name, value in facts]
    if not console.is_terminal:
        for line in aligned(facts, gap=2):
            print(" " * indent + line, file=console.file)
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        grid.add_row(f"[bold]{escape(name)}[/]", escape(value))
    console.print(Padding(grid, (0, 0, 0, indent)))


def printable(text: str) -> str:
    """Return a text without what would steer a terminal: a name, a message or a log may hold anything."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
