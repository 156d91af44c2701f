"""`heisenlab list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.catalogue import catalogue
from scenarios.lab.commands import display
from scenarios.lab.commands.command import DONE

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print a row for each scenario."""
    scenarios = [*catalogue().values()]
    if args.json:
        print(json.dumps([display.summary(scenario) for scenario in scenarios], indent=2))
    else:
        display.print_catalogue(scenarios)
    return DONE
