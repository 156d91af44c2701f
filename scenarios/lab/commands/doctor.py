"""`heisenlab doctor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.commands import display
from scenarios.lab.commands.command import DONE, FOUND
from scenarios.lab.doctor import fingerprint, problems

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print what identifies the code under test, and what is wrong with it."""
    code = fingerprint()
    wrong = problems(code)
    if args.json:
        print(json.dumps({**code, "problems": wrong}, indent=2))
    else:
        display.print_fingerprint(code, wrong)
    return FOUND if wrong else DONE
