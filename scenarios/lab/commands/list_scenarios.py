"""`heisenlab list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenarios.lab.catalogue import catalogue
from scenarios.lab.commands.command import DONE
from scenarios.lab.commands.display import print_rows

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.scenario import Scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print a row for each scenario."""
    scenarios = catalogue().values()
    if args.json:
        print(json.dumps([summary(scenario) for scenario in scenarios], indent=2))
    else:
        rows = [(each.name, each.title, each.hidden_input, str(len(each.variants))) for each in scenarios]
        print_rows(("name", "title", "hidden input", "variants"), rows)
    return DONE


def summary(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario's row in the catalogue, as JSON-able data."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "hidden_input": scenario.hidden_input,
        "question": scenario.question,
        "variants": [variant.name for variant in scenario.variants],
    }
