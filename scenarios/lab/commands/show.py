"""`heisenlab show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.catalogue import get
from scenarios.lab.commands import display
from scenarios.lab.commands.command import DONE

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print everything about a scenario."""
    scenario = get(args.name)
    if args.json:
        print(json.dumps(display.whole(scenario), indent=2))
    else:
        display.print_scenario(scenario)
    return DONE
