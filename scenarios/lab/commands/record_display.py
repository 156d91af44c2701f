"""What `heisenlab record` prints: a verdict when the job ends, and with `show` the whole run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulations.live.recorder.quantities import percent
from simulations.live.recorder.report import advice, closing, opening, printable, summary, suspects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.recorder import Judged, Report
    from simulations.live.recorder.report import Part


def print_verdict(found: Report) -> None:
    """Print the verdict in a few lines on the standard error, as the job ends."""
    _print(Console(stderr=True, highlight=False, soft_wrap=True), summary(found))


def print_report(found: Report) -> None:
    """Print and plot a run on the standard output; at a terminal the suspects are a table."""
    console = Console(highlight=False, soft_wrap=True)
    ranked = found.verdict.suspects
    encodable = (sys.stdout.encoding or "").lower().startswith("utf")
    for rank, part in enumerate(opening(found, ascii_only=not encodable)):
        if rank:
            console.print()
        _print(console, part)
    if ranked:
        console.print()
        if console.is_terminal:
            _print_table(console, ranked)
        else:
            _print(console, suspects(ranked))
    for part in closing(found):
        console.print()
        _print(console, part)


def _print(console: Console, part: Part) -> None:
    """Print a part of a report as its text is, with its title and its names in bold."""
    if part.title:
        console.print(f"[bold]{_escaped(part.title)}[/]")
    width = max((len(name) for name, _ in part.facts), default=0)
    for name, value in part.facts:
        console.print(f"  [bold]{escape(name)}[/]{' ' * (width - len(name))}  {_escaped(value)}")
    for line in part.lines:
        console.print(f"  {_escaped(line)}")


def _print_table(console: Console, ranked: Sequence[Judged]) -> None:
    table = Table("", "suspect", "for", "against")
    for each in ranked:
        table.add_row(
            percent(each.probability),
            escape(each.suspect.words),
            _escaped("\n".join(each.speaks_for)),
            _escaped("\n".join(each.speaks_against)),
        )
    Console(highlight=False).print(table)
    for line in advice(ranked):
        console.print(f"  {_escaped(line)}")


def _escaped(words: str) -> str:
    return escape(printable(words))
