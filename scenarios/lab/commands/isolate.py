"""`heisenlab isolate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import DONE
from scenarios.lab.commands.display import print_rows, progress
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.finding import load
from scenarios.lab.method.isolate_finding import isolate_finding

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.method.isolate import Isolation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="a finding, as written by hunt -o")
    parser.add_argument(
        "--expensive",
        action="store_true",
        help="as if a run were dear: each next run is the one from which most is to be learnt",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_journal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Change one variable at a time between a failing and a passing run, and print what was seen."""
    check_journal(args)
    finding = load(args.file)
    with progress(f"{finding.scenario} / {finding.variant}") as watch:
        result = isolate_finding(finding, expensive=args.expensive, watch=watch)
    note(args, f"isolate {finding.scenario} / {finding.variant}", " ".join(conclusions(result)))
    if args.json:
        print(json.dumps(result.to_json(), indent=2))
        return DONE
    print(f"{finding.scenario} / {finding.variant}: {result.signature}, {result.runs} runs")
    print()
    print_rows(
        ("hypothesis", "change", "prediction", "outcome", "so it is"),
        [
            (
                each.hypothesis,
                each.change,
                each.prediction.value,
                each.outcome.value,
                "confirmed" if each.confirmed else "rejected",
            )
            for each in result.experiments
        ],
    )
    print()
    for line in conclusions(result):
        print(line)
    return DONE


def conclusions(result: Isolation) -> list[str]:
    """Return what the experiments say, one line each."""
    said = []
    for number, cause in enumerate(result.causes, 1):
        which = "The cause" if len(result.causes) == 1 else f"Cause {number}"
        named = "; ".join(each for each in result.factors if each in cause)
        said.append(f"{which}: {named or 'none of these; it fails without any of them'}.")
    irrelevant = [each for each in result.factors if not any(each in cause for cause in result.causes)]
    if irrelevant:
        said.append(f"Not part of any: {'; '.join(irrelevant)}.")
    said.append(
        "There is no other cause among these: without it, or one factor of each, nothing failed."
        if result.complete
        else "There may be other causes: the search for them was cut short."
    )
    return said
