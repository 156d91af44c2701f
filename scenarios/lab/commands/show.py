"""`heisenlab show`."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE
from scenarios.lab.commands.display import print_facts, print_line, print_rows
from scenarios.lab.commands.list_scenarios import add_reveal, called, reveals, summary
from scenarios.lab.finding import encode_input
from scenarios.lab.scenario import Exhausted, Finds

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.scenario import Property, Scenario, Variant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    add_reveal(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Print a scenario: what was seen, and on request what it was."""
    reveal = reveals(args)
    scenario = get(args.name)
    if args.json:
        print(json.dumps(_data(scenario, reveal=reveal), indent=2))
    elif reveal:
        _print(scenario)
    else:
        _print_covered(scenario)
    return DONE


def _data(scenario: Scenario, *, reveal: bool) -> dict[str, Any]:
    story = scenario.story
    return {
        **summary(scenario, reveal=reveal),
        "story": {
            "who": story.who,
            "symptom": story.symptom,
            "believed": story.believed,
            "root_cause": story.root_cause if reveal else None,
            "lesson": story.lesson if reveal else None,
        },
        "assumptions": {each.name: each.statement for each in scenario.assumptions} if reveal else None,
        "properties": {check.__name__: _claim(check) for check in scenario.properties},
        "variants": [
            {
                "name": called(scenario, variant, reveal=reveal),
                "kind": variant.kind,
                "summary": variant.summary if reveal else None,
                "expected": _expected(variant) if reveal else None,
            }
            for variant in scenario.variants
        ],
        "inputs": [encode_input(given) for given in scenario.ladder] if reveal else None,
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


def _print_covered(scenario: Scenario) -> None:
    kinds = Counter(variant.kind for variant in scenario.variants)
    print_facts(
        [
            *scenario.told,
            ("hidden input", "say it before you go on; --reveal shows it, and the cause"),
            ("repairs", f"{kinds['folk fix']} that do not hold, {kinds['fix']} that do"),
        ]
    )
    print()
    print_rows(("property", "claim"), [(check.__name__, _claim(check)) for check in scenario.properties])
    print()
    print_line(f"hunt it: heisenlab hunt {scenario.name}")


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
    print()
    print_line(f"hunt it: heisenlab hunt {scenario.name}")
