"""`heisenlab causality`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import DONE
from scenarios.lab.commands.display import print_rows, progress
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.finding import load
from scenarios.lab.method.causality import causality
from scenarios.lab.method.estimates import percent, sparkline

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.method.causality import Curve, Moment
    from scenarios.lab.method.estimates import Estimate

_CELLS_MAX: Final = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="a finding, as written by hunt -o")
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
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_journal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the probability of the bug along the run of a finding."""
    check_journal(args)
    finding = load(args.file)
    with progress(f"{finding.scenario} / {finding.variant}") as watch:
        curve = causality(
            finding, resamples=args.resamples, exact_runs=args.exact_runs, seed=args.seed, watch=watch
        )
    note(args, f"causality {finding.scenario} / {finding.variant}", " ".join(conclusions(curve)))
    if args.json:
        print(json.dumps(curve.to_json(), indent=2))
    else:
        _print(curve)
    return DONE


def _print(curve: Curve) -> None:
    how = f"sampled, {curve.resamples} runs each" if curve.resamples else "certified by enumeration"
    print(f"{curve.scenario} / {curve.variant}: when was the bug baked in?")
    print(f"{curve.by}, noise model {curve.noise!r}, {curve.choices} choices, {curve.runs} runs, {how}")
    print()
    points, named = _shown(curve)
    print(f"P(bug) |{sparkline([points[0].before.value, *(each.after.value for each in points)])}|")
    print(f"         {''.join('^' if each in named else ' ' for each in points)}".rstrip())
    print()
    sampled = any(not each.certified for each in named)
    rows = [
        (
            _probability(each.before, certified=each.certified),
            _probability(each.after, certified=each.certified),
            *([f"{percent(each.limits[0])} .. {percent(each.limits[1])}"] if sampled else []),
            f"{each.bits:+.2f}" if math.isfinite(each.bits) else f"at least {_least_bits(each):+.2f}",
            f"{each.surprisal:.2f}",
            each.phrase,
        )
        for each in named
    ]
    certain = ["after, certainly"] if sampled else []
    print_rows(("P(bug) before", "after", *certain, "bits", "at most", "choice"), rows)
    print()
    for line in conclusions(curve):
        print(line)


def _shown(curve: Curve) -> tuple[list[Moment], list[Moment]]:
    """Return the moments of the sparkline, and among them those that have a line of their own."""
    named = list(curve.named)
    points = list(curve.points)
    spare = max(0, _CELLS_MAX - len(named))
    others = [each for each in points if each not in named]
    step = max(1, math.ceil(len(others) / spare)) if spare else len(others) + 1
    kept = others[::step]
    return sorted([*named, *kept], key=lambda each: each.k), named


def _probability(estimate: Estimate, *, certified: bool) -> str:
    low, high = percent(estimate.low), percent(estimate.high)
    if certified:
        return low if low == high else f"{low} .. {high}"
    return f"{percent(estimate.value)} [{low}, {high}]"


def _least_bits(moment: Moment) -> float:
    """Return what a choice contributes at least, where no sample failed before it."""
    return math.log2(moment.after.value / moment.before.high)


def conclusions(curve: Curve) -> list[str]:
    """Return what the curve says, one line each."""
    start = curve.start
    total = -math.log2(start.value) if start.value else math.inf
    said = [
        f"All choices together: {total:.2f} bits, log2(1/P) of the start."
        if math.isfinite(total)
        else f"Nothing failed in {curve.resamples} runs from the start, so the bits there are lower bounds."
    ]
    ties = [each for each in curve.named if each.forced and not each.deviation]
    if ties:
        said.append(
            "Somebody had to be picked at "
            + " and ".join(repr(each.label) for each in ties)
            + ": a tie that nobody caused can carry bits as well."
        )
    deviations = [each for each in curve.points if each.deviation]
    if deviations:
        last = deviations[-1]
        after = _probability(last.after, certified=last.certified)
        said.append(f"After the last deviation ({last.phrase}), P(bug) is {after}.")
    return said
