"""What a command writes into a lab journal, where the user names one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import UsageError, file_name
from scenarios.lab.method.journal import VARIABLE, append, check_appendable, entry

if TYPE_CHECKING:
    import argparse


def add_journal_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that writes into a journal."""
    parser.add_argument(
        "--journal",
        type=file_name,
        metavar="FILE",
        help=f"append what was done and what came out; also by {VARIABLE}",
    )
    parser.add_argument("--prediction", metavar="TEXT", help="what you expect, for the journal")


def check_journal(args: argparse.Namespace) -> None:
    """Check, before the work begins, that the journal can be written.

    Raises:
        UsageError: there is a prediction and no journal.
        LabError: it cannot be written.
    """
    path = _named(args)
    if path is not None:
        check_appendable(path)
    elif args.prediction:
        raise UsageError("a prediction goes into a journal: name it with --journal")


def note(args: argparse.Namespace, what: str, outcome: str) -> None:
    """Append what was done and what came out to the journal, if the user names one.

    Raises:
        LabError: the journal cannot be written.
    """
    path = _named(args)
    if path is not None:
        append(path, entry(what, outcome, command=args.typed, prediction=args.prediction))


def _named(args: argparse.Namespace) -> Path | None:
    named = args.journal or os.environ.get(VARIABLE)
    return Path(named) if named else None
