"""`heisenlab journal`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import DONE, UsageError, file_name
from scenarios.lab.commands.display import complain, print_rows
from scenarios.lab.method.journal import VARIABLE, read

if TYPE_CHECKING:
    import argparse

_DAMAGED_MAX: Final = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        f"Show a lab journal: who tried what, when, what was expected, and what came out. Commands write to "
        f"the file that --journal or the environment variable {VARIABLE} names."
    )
    parser.add_argument(
        "file", type=file_name, nargs="?", metavar="FILE", help=f"the journal; default: what {VARIABLE} names"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print the entries; say which lines are damaged."""
    named = args.file or os.environ.get(VARIABLE)
    if not named:
        raise UsageError(f"name a journal, or set {VARIABLE}")
    kept = read(Path(named))
    if kept.damaged:
        lines = f"line{'s' if kept.damaged[1:] else ''} {', '.join(map(str, kept.damaged[:_DAMAGED_MAX]))}"
        more = f" and {len(kept.damaged) - _DAMAGED_MAX} more" if kept.damaged[_DAMAGED_MAX:] else ""
        complain(f"{lines}{more} of {named} {'are' if kept.damaged[1:] else 'is'} damaged and left out")
    if args.json:
        hidden = {"outcome": None} if args.no_spoilers else {}
        entries = [{**each.to_json(), **hidden} for each in kept.entries]
        print(json.dumps({"entries": entries, "damaged": [*kept.damaged]}, indent=2))
    elif not kept.entries:
        print("no entries")
    else:
        rows = [
            (
                each.when,
                each.who,
                each.what,
                each.prediction or "",
                "(hidden)" if args.no_spoilers else each.outcome,
                each.command,
            )
            for each in kept.entries
        ]
        header = ("when", "who", "what", "prediction", "outcome", "command")
        print_rows(header, rows, whole=("command",))
    return DONE
