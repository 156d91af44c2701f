"""`heisenlab list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenarios.lab.catalogue import catalogue
from scenarios.lab.commands.command import DONE, UsageError
from scenarios.lab.commands.display import print_rows

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.scenario import Scenario, Variant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_reveal(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def add_reveal(parser: argparse.ArgumentParser) -> None:
    """Add the option that uncovers the hidden input and the cause."""
    parser.add_argument(
        "--reveal", action="store_true", help="print the hidden input, the cause and the fixes, too"
    )


def reveals(args: argparse.Namespace) -> bool:
    """Return whether causes are to be shown.

    Raises:
        UsageError: they are to be shown and to be hidden.
    """
    if args.reveal and args.no_spoilers:
        raise UsageError("--reveal shows what --no-spoilers (or its variable) hides: leave out one of them")
    return bool(args.reveal)


def run(args: argparse.Namespace) -> int:
    """Print a row for each scenario."""
    reveal = reveals(args)
    scenarios = catalogue().values()
    if args.json:
        print(json.dumps([summary(scenario, reveal=reveal) for scenario in scenarios], indent=2))
        return DONE
    header = ("name", "title", *(["hidden input"] if reveal else []), "variants")
    rows = [
        (each.name, each.title, *([each.hidden_input] if reveal else []), str(len(each.variants)))
        for each in scenarios
    ]
    print_rows(header, rows)
    if not reveal:
        print("\nwhat nobody recorded: heisenlab list --reveal")
    return DONE


def summary(scenario: Scenario, *, reveal: bool) -> dict[str, Any]:
    """Return a scenario's row in the catalogue, as JSON-able data; null is what is covered."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "hidden_input": scenario.hidden_input if reveal else None,
        "question": scenario.question if reveal else None,
        "variants": [called(scenario, variant, reveal=reveal) for variant in scenario.variants],
    }


def called(scenario: Scenario, variant: Variant, *, reveal: bool) -> str:
    """Return the name of a variant; where it is covered, a repair is known by its number."""
    if reveal or variant is scenario.variants[0]:
        return variant.name
    return f"repair-{scenario.variants.index(variant)}"
