"""`heisenlab hunt`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands import display
from scenarios.lab.commands.command import DONE, FOUND, GAVE_UP, INTERRUPTED
from scenarios.lab.finding import check_writable
from scenarios.lab.hunt import hunt

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.searchers import Tally

_STATUSES: Final = {"found": FOUND, "exhausted": DONE, "gave up": GAVE_UP}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    parser.add_argument(
        "--variant", default="as-shipped", metavar="V", help="a variant of it; default: as-shipped"
    )
    parser.add_argument(
        "--searcher",
        default="hypothesis",
        metavar="S",
        help="hypothesis, random or exhaustive; default: hypothesis",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the search; default: 0")
    parser.add_argument("--budget", type=int, metavar="N", help="runs that the search may take")
    parser.add_argument("--deviations", type=int, metavar="K", help="deviations that a plan may have")
    parser.add_argument("-o", "--output", metavar="FILE", help="save the finding")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Hunt a variant, print the result, and save what was found."""
    if args.output:
        check_writable(args.output)
    last: list[Tally] = []
    try:
        with display.progress(f"{args.name} / {args.variant}") as watch:

            def watched(tally: Tally) -> None:
                last[:] = [tally]
                watch(tally)

            result = hunt(
                args.name,
                args.variant,
                searcher=args.searcher,
                seed=args.seed,
                budget=args.budget,
                deviations=args.deviations,
                watch=watched,
            )
    except KeyboardInterrupt:
        so_far = f"after {last[0].runs} runs to {last[0].phase}" if last else "before the first run"
        print(f"heisenlab: interrupted {so_far}; that is no verdict", file=sys.stderr)
        return INTERRUPTED
    if result.finding and args.output:
        result.finding.save(args.output)
    if args.json:
        print(json.dumps(result.to_json(), indent=2))
    else:
        display.print_hunt(result, args.output)
    return _STATUSES[result.verdict]
