"""How commands print: tables and colour on a terminal, aligned lines of plain text elsewhere.

It imports nothing of the engine, so that a command which needs none of it starts fast.
"""

from __future__ import annotations

import re
import sys
import textwrap
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from simulations.terminal_text import printable
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

_FRAME_OF_A_COLUMN: Final = 3
"""Characters of a line of a table for each column that are no cell: a space at either side, and a line."""

_WORD: Final = re.compile(r"^\s*\S+|\S+")
"""What Rich does not divide: a word, the first one of a line with the spaces before it."""

_GAP: Final = 2
"""Spaces between a name and its value."""

_VALUE_WIDTH_MIN: Final = 20
"""A value is not wrapped to fewer characters, however narrow the terminal is."""


def complain(message: str) -> None:
    """Print a line of ours on the standard error."""
    print(f"heisenlab: {printable(message)}", file=sys.stderr)


def print_line(words: str) -> None:
    """Print a line on the standard output, whatever the words of a file or of a user's program are."""
    print(printable(words))


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]], *, whole: Collection[str] = ()) -> None:
    """Print a table on the standard output; a list where the terminal is too narrow for the table.

    Args:
        header: The names of the columns.
        rows: The cells, as many in each row.
        whole: The names of columns in which no line is wrapped, such as curves.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    console = Console()
    if not console.is_terminal:
        for line in aligned([header, *rows], gap=2):
            print(line)
        return
    table = fitted_table(header, rows, console.width, whole=whole)
    if table is not None:
        console.print(table)
        return
    for rank, row in enumerate(rows):
        if rank:
            console.print()
        for name, value in zip(header, row, strict=True):
            _print_fact(console, name, value.strip(), max(map(len, header)), wrap=name not in whole)


def fitted_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, whole: Collection[str] = ()
) -> Table | None:
    """Return a table in which every word stands whole; None if that needs more than `width` characters.

    Args:
        header: The names of the columns.
        rows: The cells, as printable text; a cell may have several lines.
        width: Characters of a line of the terminal.
        whole: The names of columns in which no line is wrapped.
    """
    natural, least = [], []
    for name, *cells in zip(header, *rows, strict=True):
        lines = [line for cell in (name, *cells) for line in cell.split("\n")]
        natural.append(max(map(cell_len, lines)))
        words = [word for line in lines for word in _WORD.findall(line)]
        least.append(natural[-1] if name in whole else max(map(cell_len, words), default=0))
    room = width - _FRAME_OF_A_COLUMN * len(header) - 1
    if sum(least) > room:
        return None
    table = Table()
    for name, column_width in zip(header, _shared(natural, least, room), strict=True):
        table.add_column(Text(name), width=column_width, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns: the widest give way first, and none below its least."""
    for limit in range(max(natural), 0, -1):
        widths = [max(low, min(high, limit)) for high, low in zip(natural, least, strict=True)]
        if sum(widths) <= room:
            return widths
    return [*least]


def print_facts(facts: Sequence[tuple[str, str]], *, wrap: bool = True) -> None:
    """Print names and values: beside each other on a terminal, a line each elsewhere.

    Args:
        facts: The names and the values.
        wrap: Whether a terminal gets a long value in several lines, broken between words.
    """
    facts = [(printable(name), printable(value)) for name, value in facts]
    console = Console()
    if not console.is_terminal:
        for line in aligned(facts, gap=2):
            print(line)
        return
    width = max((cell_len(name) for name, _ in facts), default=0)
    for name, value in facts:
        _print_fact(console, name, value, width, wrap=wrap)


def _print_fact(console: Console, name: str, value: str, name_width: int, *, wrap: bool) -> None:
    """Print a name and its value; a word that is longer than the line overflows it in one piece."""
    room = max(_VALUE_WIDTH_MIN, console.width - name_width - _GAP)
    lines = textwrap.wrap(value, room, break_long_words=False, break_on_hyphens=False) if wrap else []
    for rank, line in enumerate(lines or [value]):
        label = name if rank == 0 else ""
        blank = " " * (name_width - cell_len(label) + _GAP)
        console.print(Text.assemble((label, "bold"), blank, line), soft_wrap=True, highlight=False)


@contextmanager
def afterwards(*keep: Callable[[], object]) -> Iterator[None]:
    """Do what keeps a result when it has been printed, and also where it could not be.

    A disk that is full must not take away what hours were spent on.

    Args:
        keep: Each is called, whatever the others raise.
    """
    with ExitStack() as stack:
        for each in reversed(keep):
            stack.callback(each)
        yield
        if sys.stdout is not None:  # the caller may have closed it
            sys.stdout.flush()


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a progress bar on the standard error where that is a terminal.

    Yields what to call with the numbers of steps done and of all.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.file.isatty()) as bar:
        task = bar.add_task(printable(what))
        yield lambda done, total: bar.update(task, completed=done, total=total)
