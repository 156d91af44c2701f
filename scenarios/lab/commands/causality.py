"""`heisenlab causality`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import DONE, file_name
from scenarios.lab.commands.display import afterwards, print_line, print_rows, progress
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.commands.pictures import add_picture_arguments, check_pictures, save_pictures
from scenarios.lab.finding import load
from scenarios.lab.method.causality import causality, probability
from scenarios.lab.method.estimates import percent
from simulations.drawing.text import sparkline

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.method.causality import Curve, Moment

_CELLS_MAX: Final = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=file_name, metavar="FILE", help="a finding, as written by hunt -o")
    parser.add_argument(
        "--resamples",
        type=int,
        default=100,
        metavar="N",
        help="runs for each probability that cannot be enumerated; default: 100",
    )
    parser.add_argument(
        "--exact-runs",
        type=int,
        default=5000,
        metavar="N",
        help="runs that the enumeration may take; default: 5000",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the samples; default: 0")
    add_picture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_journal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the probability of the bug along the run of a finding."""
    check_journal(args)
    finding = load(args.file)
    check_pictures(args)
    with progress(f"{finding.scenario} / {finding.variant}") as watch:
        curve = causality(
            finding, resamples=args.resamples, exact_runs=args.exact_runs, seed=args.seed, watch=watch
        )
    with afterwards(
        lambda: save_pictures(args, curve.picture()),
        lambda: note(
            args, f"causality {finding.scenario} / {finding.variant}", " ".join(curve.conclusions())
        ),
    ):
        if args.json:
            print(json.dumps(curve.to_json(), indent=2))
        else:
            _print(curve)
    return DONE


def _print(curve: Curve) -> None:
    print_line(f"{curve.scenario} / {curve.variant}: when was the bug baked in?")
    print_line(
        f"{curve.by}, noise model {curve.noise!r}, {curve.choices} choices, {curve.runs} runs, {curve.how}"
    )
    print()
    points, named = _shown(curve)
    print_line(f"P(bug) |{sparkline([points[0].before.value, *(each.after.value for each in points)])}|")
    print_line(f"         {''.join('^' if each in named else ' ' for each in points)}".rstrip())
    print()
    sampled = any(not each.certified for each in named)
    rows = [
        (
            probability(each.before, certified=each.certified),
            probability(each.after, certified=each.certified),
            *([f"{percent(each.limits[0])} .. {percent(each.limits[1])}"] if sampled else []),
            each.gain,
            f"{each.surprisal:.2f}",
            each.phrase,
        )
        for each in named
    ]
    certain = ["after, certainly"] if sampled else []
    print_rows(("P(bug) before", "after", *certain, "bits", "at most", "choice"), rows)
    print()
    for line in curve.conclusions():
        print_line(line)


def _shown(curve: Curve) -> tuple[list[Moment], list[Moment]]:
    """Return the moments of the sparkline, and among them those that have a line of their own."""
    named = list(curve.named)
    points = list(curve.points)
    spare = max(0, _CELLS_MAX - len(named))
    others = [each for each in points if each not in named]
    step = max(1, math.ceil(len(others) / spare)) if spare else len(others) + 1
    kept = others[::step]
    return sorted([*named, *kept], key=lambda each: each.k), named
