"""How commands print: tables and colour on a terminal, aligned lines of plain text elsewhere.

It imports nothing of the engine, so that a command which needs none of it starts fast.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from simulations.terminal_text import printable
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def complain(message: str) -> None:
    """Print a line of ours on the standard error."""
    print(f"heisenlab: {printable(message)}", file=sys.stderr)


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on the standard output."""
    rows = [[printable(cell) for cell in row] for row in rows]
    console = Console()
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


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values: wrapped beside each other on a terminal, a line each elsewhere."""
    facts = [(name, printable(value)) for name, value in facts]
    console = Console()
    if not console.is_terminal:
        for line in aligned(facts, gap=2):
            print(line)
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        grid.add_row(f"[bold]{escape(name)}[/]", escape(value))
    console.print(grid)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a progress bar on the standard error where that is a terminal.

    Yields what to call with the numbers of steps done and of all.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.file.isatty()) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)
