"""`heisenlab isolate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.lab.commands.command import DONE, file_name
from scenarios.lab.commands.display import afterwards, print_line, print_rows, progress
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.commands.pictures import add_picture_arguments, check_pictures, save_pictures
from scenarios.lab.finding import load
from scenarios.lab.method.isolate_finding import isolate_finding

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.finding import Finding
    from scenarios.lab.method.isolate import Isolation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=file_name, metavar="FILE", help="a finding, as written by hunt -o")
    parser.add_argument(
        "--expensive",
        action="store_true",
        help="as if a run were dear: each next run is the one from which most is to be learnt",
    )
    add_picture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_journal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Change one variable at a time between a failing and a passing run, and print what was seen."""
    check_journal(args)
    finding = load(args.file)
    check_pictures(args)
    with progress(f"{finding.scenario} / {finding.variant}") as watch:
        result = isolate_finding(finding, expensive=args.expensive, watch=watch)
    with afterwards(
        lambda: save_pictures(args, result.picture()),
        lambda: note(args, f"isolate {finding.scenario} / {finding.variant}", " ".join(result.conclusions())),
    ):
        if args.json:
            print(json.dumps(result.to_json(), indent=2))
        else:
            _print(finding, result)
    return DONE


def _print(finding: Finding, result: Isolation) -> None:
    print_line(f"{finding.scenario} / {finding.variant}: {result.signature}, {result.runs} runs")
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
    for line in result.conclusions():
        print_line(line)
