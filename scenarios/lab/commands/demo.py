"""`heisenlab demo`: a demonstration on one screen: the file, its red test, and what to look at."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console
from rich.syntax import Syntax

from scenarios.lab.commands.command import DONE, FOUND, GAVE_UP, INTERNAL
from scenarios.lab.commands.display import print_rows
from scenarios.lab.commands.test import session
from scenarios.lab.teaching.demonstrations import DEMONSTRATIONS, Demonstration, demonstration
from simulations.errors import LabError
from simulations.terminal_text import printable_lines

_EPILOG: Final = """\
exit codes: 0 green (--fixed), 1 red, as it is meant to be, 2 usage, 3 cannot be shown here

examples:
  heisenlab demo                    # what there is
  heisenlab demo state_machine      # the file, its red test, and what to look at
  heisenlab demo state_machine --fixed
"""

_OPTIONS: Final = ("-q", "--no-header", "-p", "no:cacheprovider", "-p", "scenarios.lab.teaching.classroom")
_WIDTH: Final = "88"
_SKIPPED: Final = 0
_FAILED: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", nargs="?", metavar="NAME", help="the demonstration to show; none: list them")
    parser.add_argument("--fixed", action="store_true", help="show the repaired twin, whose test is green")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """List the demonstrations, or show one.

    Raises:
        LabError: there is no demonstration of that name, or no material is installed.
    """
    if args.name is None:
        if args.fixed:
            raise LabError("--fixed needs the name of a demonstration: heisenlab demo NAME --fixed")
        return _list(as_json=args.json)
    return show(demonstration(args.name), fixed=args.fixed, as_json=args.json)


def _list(*, as_json: bool) -> int:
    if as_json:
        print(json.dumps([_row(each) for each in DEMONSTRATIONS], indent=2))
    else:
        rows = [(each.name, each.idea(), each.feature) for each in DEMONSTRATIONS]
        print_rows(("name", "idea", "feature"), rows)
    return DONE


def _row(shown: Demonstration) -> dict[str, Any]:
    return {"name": shown.name, "idea": shown.idea(), "feature": shown.feature}


def show(shown: Demonstration, *, fixed: bool = False, as_json: bool = False) -> int:
    """Print the file of a demonstration, run it in an empty folder, and say what to look at.

    Args:
        shown: The demonstration.
        fixed: Take its twin.
        as_json: Print one JSON object, with what pytest prints in it.
    """
    source = shown.twin() if fixed else shown.source()
    before, after = shown.change()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{shown.name}.py").write_text(source, encoding="utf-8")
        Path(folder, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # no other above it counts
        if not as_json:
            _print_source(f"{shown.name}.py{' (fixed)' if fixed else ''}", printable_lines(source))
            status = _pytest(shown, Path(folder), output=None)
        else:
            with Path(folder, "printed").open("w+", encoding="utf-8") as printed:
                status = _pytest(shown, Path(folder), output=printed)
                printed.seek(0)
                output = printed.read()
    if as_json:
        figures = {**_row(shown), "fixed": fixed, "source": source, "exit_code": status, "output": output}
        print(json.dumps({**figures, "look": shown.look, "was": before, "fix": after}, indent=2))
    elif fixed:
        print(f"\nchanged  {before}\nto       {after}")
    elif status == _FAILED:
        for line in ("", *_wrapped("Look: ", shown.look), f"Fix:  {after}"):
            print(line)
        print(f"      heisenlab demo {shown.name} --fixed")
    return _judged(status, fixed=fixed)


def _print_source(title: str, source: str) -> None:
    console = Console()
    if console.is_terminal:
        console.print(
            title, Syntax(source, "python", theme="ansi_dark", background_color="default"), sep="\n\n"
        )
        console.print()
    else:
        print(f"{title}\n\n{source}", flush=True)


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, int(_WIDTH), initial_indent=label, subsequent_indent=" " * len(label))


def _judged(status: int, *, fixed: bool) -> int:
    """Return the exit code for that of pytest."""
    if status == _SKIPPED:
        return DONE if fixed else GAVE_UP
    return FOUND if status == _FAILED else INTERNAL


def _pytest(shown: Demonstration, folder: Path, *, output: TextIO | None) -> int:
    colour = "yes" if output is None and sys.stdout is not None and sys.stdout.isatty() else "no"
    arguments = [*_OPTIONS, f"--color={colour}", *shown.options, f"{shown.name}.py"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    quiet = {"COLUMNS": _WIDTH, "PYTHONDONTWRITEBYTECODE": "1"}
    return session(arguments, output=output, folder=folder, environment={**environment, **quiet})
