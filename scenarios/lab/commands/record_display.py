"""What `heisenlab record` prints: a verdict when the job ends, and with `show` the whole run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from scenarios.lab.commands.display import fitted_table
from simulations.live.recorder import signals
from simulations.live.recorder.plot import PLOT_WIDTH
from simulations.live.recorder.quantities import percent
from simulations.live.recorder.report import advice, closing, opening, series, summary, suspects
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulations.live.recorder import Judged, Report
    from simulations.live.recorder.report import Part
    from simulations.live.recorder.reruns import Comparison

_BESIDE_A_CURVE: Final = 28
"""Characters of a line that are no curve: the name before it and the largest value after it."""

_CURVE_WIDTH_MIN: Final = 10
_TABLE_WIDTH_MIN: Final = 100
"""On a narrower terminal the suspects are a list, as wherever a word of the table would be cut."""


def print_verdict(found: Report, *, alone: bool, passed_on: int) -> None:
    """Print the verdict in a few lines on the standard error, as the job ends.

    Args:
        found: The report.
        alone: Whether it is to be compared with earlier runs.
        passed_on: The job's status; below 0 it is a signal, by which the recorder will end as well.
    """
    console = _console(stderr=True)
    _print(console, summary(found, alone=alone))
    if passed_on < 0 and alone:
        name = signals.name(-passed_on)
        _line(
            console,
            f"  (the recorder now ends itself by {name}, as the job ended, so that its caller sees the same; "
            "what a shell prints next, such as Killed, means the job)",
        )


def print_series(compared: Comparison, unrecorded: int) -> None:
    """Print what several runs have in common on the standard error, when the last has ended.

    Args:
        compared: The runs that were recorded.
        unrecorded: How many more there were.
    """
    _print(_console(stderr=True), series(compared, unrecorded))


def print_report(found: Report) -> None:
    """Print and plot a run on the standard output; at a wide terminal the suspects are a table."""
    console = _console()
    ranked = found.verdict.suspects
    encodable = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    width = PLOT_WIDTH
    if console.is_terminal:
        width = max(_CURVE_WIDTH_MIN, min(PLOT_WIDTH, console.width - _BESIDE_A_CURVE))
    for rank, part in enumerate(opening(found, ascii_only=not encodable, width=width)):
        if rank:
            console.print()
        _print(console, part)
    if ranked:
        console.print()
        wide = console.is_terminal and console.width >= _TABLE_WIDTH_MIN
        table = _table(ranked, console.width) if wide else None
        if table is None:
            _print(console, suspects(ranked))
        else:
            console.print(table, soft_wrap=False)
            for line in advice(ranked):
                _line(console, f"  {line}")
    for part in closing(found):
        console.print()
        _print(console, part)


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _print(console: Console, part: Part) -> None:
    """Print a part of a report as its text is, with its title and its names in bold."""
    if part.title:
        console.print(Text(printable(part.title), style="bold"))
    width = max((len(name) for name, _ in part.facts), default=0)
    for name, value in part.facts:
        console.print(Text.assemble("  ", (name, "bold"), f"{' ' * (width - len(name))}  {printable(value)}"))
    for line in part.lines:
        _line(console, f"  {line}")


def _line(console: Console, words: str) -> None:
    console.print(Text(printable(words)))


def _table(ranked: Sequence[Judged], width: int) -> Table | None:
    rows = [
        (
            percent(each.probability),
            printable(each.suspect.words),
            "\n".join(map(printable, each.speaks_for)),
            "\n".join(map(printable, each.speaks_against)),
        )
        for each in ranked
    ]
    return fitted_table(("", "suspect", "for", "against"), rows, width)
