"""`heisenlab assumptions`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE, FOUND
from scenarios.lab.commands.display import afterwards, print_facts, print_line, print_rows, progress
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.method.assumptions import Broken, Fate, Row, Standing, break_one, ledger

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenarios.lab.scenario import Scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    parser.add_argument(
        "--break",
        dest="broken",
        metavar="A",
        help="run it in a world without this assumption; show what falls",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_journal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the ledger, or what falls with one assumption; 1 where one that should hold is violated."""
    scenario = get(args.name)
    check_journal(args)
    if args.broken:
        with progress(f"{args.name} without {args.broken}") as watch:
            result = break_one(scenario, args.broken, watch=watch)
        with afterwards(
            lambda: note(args, f"assumptions {args.name} --break {args.broken}", _summary(result))
        ):
            if args.json:
                print(json.dumps(_broken_data(result), indent=2))
            else:
                _print_broken(result)
        return DONE
    with progress(args.name) as watch:
        rows = ledger(scenario, watch=watch)
    violated = [row.assumption.name for row in rows if row.standing is Standing.VIOLATED]
    with afterwards(
        lambda: note(args, f"assumptions {args.name}", f"violated: {', '.join(violated) or 'none'}")
    ):
        if args.json:
            print(json.dumps([_data(row) for row in rows], indent=2))
        else:
            _print(scenario, rows)
    return FOUND if violated else DONE


def _data(row: Row) -> dict[str, Any]:
    each = row.assumption
    return {
        "name": each.name,
        "statement": each.statement,
        "standing": row.standing.value,
        "runs": row.runs,
        "seen": row.seen,
        "can_be_broken": each.broken is not None,
        "why_not": each.why_not,
    }


def _broken_data(result: Broken) -> dict[str, Any]:
    conclusions = [
        {"variant": each.variant, "stated": each.stated, "broken": each.broken, "fate": each.fate.value}
        for each in result.conclusions
    ]
    return {**_data(result.row), "conclusions": conclusions}


def _summary(result: Broken) -> str:
    fallen = [each.variant for each in result.conclusions if each.fate is Fate.FALLS]
    return f"{len(fallen)} of {len(result.conclusions)} conclusions fall: {', '.join(fallen) or 'none'}"


def _print(scenario: Scenario, rows: Sequence[Row]) -> None:
    if not rows:
        print_line(f"{scenario.name} states no assumptions")
        return
    print_rows(
        ("assumed", "standing", "runs", "can be broken", "that"),
        [
            (
                row.assumption.name,
                row.standing.value,
                str(row.runs),
                "yes" if row.assumption.broken else "no",
                row.assumption.statement,
            )
            for row in rows
        ],
    )
    notes = [(row.assumption.name, row.seen or row.assumption.why_not) for row in rows]
    notes = [each for each in notes if each[1]]
    if notes:
        print()
        print_facts(notes)
    breakable = next((row.assumption.name for row in rows if row.assumption.broken), None)
    if breakable:
        print()
        print_line(f"break one: heisenlab assumptions {scenario.name} --break {breakable}")


def _print_broken(result: Broken) -> None:
    row = result.row
    facts = [("broken", f"{row.assumption.name}: {row.assumption.statement}")]
    if row.seen:
        facts.append(("seen", row.seen))
    elif row.assumption.check is None:
        facts.append(("seen", f"nothing: a run cannot show it ({row.assumption.why_not})"))
    else:
        facts.append(("seen", f"nothing in {row.runs} runs"))
    facts.append(("falls", _summary(result)))
    print_facts(facts)
    print()
    rows = [(each.fate.value, each.variant, each.stated, each.broken) for each in result.conclusions]
    print_rows(("", "variant", "stated", "without it"), rows)
