"""`heisenlab show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE
from scenarios.lab.commands.display import print_facts, print_rows
from scenarios.lab.commands.list_scenarios import summary
from scenarios.lab.finding import encode_input
from scenarios.lab.scenario import Exhausted, Finds

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.scenario import Property, Scenario, Variant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print everything about a scenario."""
    scenario = get(args.name)
    if args.json:
        print(json.dumps(_data(scenario), indent=2))
    else:
        _print(scenario)
    return DONE


def _data(scenario: Scenario) -> dict[str, Any]:
    story = scenario.story
    return {
        **summary(scenario),
        "story": {
            "who": story.who,
            "symptom": story.symptom,
            "believed": story.believed,
            "root_cause": story.root_cause,
            "lesson": story.lesson,
        },
        "assumptions": {each.name: each.statement for each in scenario.assumptions},
        "properties": {check.__name__: _claim(check) for check in scenario.properties},
        "variants": [
            {
                "name": variant.name,
                "kind": variant.kind,
                "summary": variant.summary,
                "expected": _expected(variant),
            }
            for variant in scenario.variants
        ],
        "inputs": [encode_input(given) for given in scenario.ladder],
    }


def _expected(variant: Variant) -> str:
    """Return the result that a hunt of a variant must have, in words."""
    if isinstance(variant.expect, Finds):
        return f"{variant.expect.by} fails"
    if isinstance(variant.expect, Exhausted):
        return f"exhausted at {variant.expect.deviations} deviation{'s'[: variant.expect.deviations != 1]}"
    return f"not found in {variant.expect.runs} runs"


def _claim(check: Property) -> str:
    return " ".join((check.__doc__ or "").split("\n\n")[0].split())


def _print(scenario: Scenario) -> None:
    story = scenario.story
    print_facts(
        [
            (scenario.name, scenario.title),
            ("who", story.who),
            ("symptom", story.symptom),
            ("believed", story.believed),
            ("root cause", story.root_cause),
            ("lesson", story.lesson),
            ("hidden input", scenario.hidden_input),
            ("asked", scenario.question),
        ]
    )
    print()
    if scenario.assumptions:
        print_rows(("assumed", "that"), [(each.name, each.statement) for each in scenario.assumptions])
        print()
    print_rows(("property", "claim"), [(check.__name__, _claim(check)) for check in scenario.properties])
    print()
    rows = [(each.name, each.kind, _expected(each), each.summary) for each in scenario.variants]
    print_rows(("variant", "kind", "expected", "what was changed"), rows)
    print(f"\nhunt it: heisenlab hunt {scenario.name}")
