"""`heisenlab compare`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import DONE
from scenarios.lab.commands.display import afterwards, print_line, print_rows, progress
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.commands.pictures import add_picture_arguments, check_pictures, save_pictures
from scenarios.lab.commands.workers import add_workers_arguments, interrupted, pool_of
from scenarios.lab.method.compare import Kind, compare
from scenarios.lab.method.estimates import percent
from simulations.drawing.text import sparkline

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.method.compare import Comparison, Row
    from scenarios.lab.method.estimates import Estimate

_CELLS: Final = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    parser.add_argument(
        "--variant", default="as-shipped", metavar="V", help="a variant of it; default: as-shipped"
    )
    parser.add_argument(
        "--searcher", action="append", metavar="S", help="a searcher; repeat for several; default: all"
    )
    parser.add_argument(
        "--hunts", type=int, default=100, metavar="N", help="hunts of a searcher; default: 100"
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=4000,
        metavar="N",
        help="runs of a searcher whose runs are independent; default: 4000",
    )
    parser.add_argument("--budget", type=int, default=1000, metavar="N", help="runs of a hunt; default: 1000")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the first hunt; default: 0")
    parser.add_argument("--deviations", type=int, metavar="K", help="deviations that a plan may have")
    add_workers_arguments(parser)
    add_journal_arguments(parser)
    add_picture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Compare, and print the searchers side by side."""
    check_journal(args)
    check_pictures(args)
    try:
        with pool_of(args) as pool, progress(f"{args.name} / {args.variant}") as watch:
            result = compare(
                args.name,
                args.variant,
                searchers=args.searcher,
                hunts=args.hunts,
                runs=args.runs,
                budget=args.budget,
                seed=args.seed,
                deviations=args.deviations,
                pool=pool,
                state=args.state,
                watch=watch,
            )
    except KeyboardInterrupt as error:
        return interrupted(args, error, "comparison")
    with afterwards(
        lambda: save_pictures(args, result.picture()),
        lambda: note(args, f"compare {result.scenario} / {result.variant}", "; ".join(conclusions(result))),
    ):
        if args.json:
            print(json.dumps(result.to_json(), indent=2))
        else:
            _print(result)
    return DONE


def _print(result: Comparison) -> None:
    print_line(f"{result.scenario} / {result.variant}: seeds from {result.seed}, digest {result.digest}")
    print()
    over_runs = f"1..{result.budget} (log)"
    print_rows(
        (
            "searcher",
            f"found within {result.budget} runs",
            over_runs,
            "half by",
            "95 % by",
            "drawn by",
        ),
        [
            (
                row.searcher,
                _chance(row),
                _curve(row, result.budget),
                _runs(row.median),
                _runs(row.needed),
                row.drawn_by,
            )
            for row in result.rows
        ],
        whole=(over_runs,),
    )
    print()
    print_rows(
        (
            "searcher",
            "failing",
            "deviations",
            "least",
            "runs to minimise",
            "CPU a run",
            "a hunt",
            "to minimise",
        ),
        [
            (
                row.searcher,
                f"{row.found} of {_tried(row)}",
                _number(row.deviations),
                _number(row.least),
                _number(row.minimising_runs),
                _time(row.cpu_s),
                _time(_hunt_s(row)),
                _time(row.minimising_cpu_s),
            )
            for row in result.rows
        ],
    )
    print()
    for line in conclusions(result):
        print_line(line)


def _hunt_s(row: Row) -> float | None:
    """Return the CPU seconds of a hunt, in the mean; of independent runs, until one fails."""
    hunts = row.found if row.rate is not None else row.hunts
    return row.cpu_s * row.runs / hunts if row.cpu_s is not None and hunts else None


def _tried(row: Row) -> str:
    return f"{row.runs} runs" if row.rate is not None else f"{row.hunts} hunt{'s'[: row.hunts != 1]}"


def _chance(row: Row) -> str:
    chance = row.within
    if row.kind is Kind.IN_ORDER:
        return "certain" if chance.value else "not yet" if row.found else "never"
    return f"{percent(chance.value)} [{percent(chance.low)}, {percent(chance.high)}]"


def _curve(row: Row, budget: int) -> str:
    ends = (round(math.exp(math.log(budget) * cell / (_CELLS - 1))) for cell in range(_CELLS))
    return sparkline(row.share_by(end) for end in ends)


def _runs(estimate: Estimate) -> str:
    """Return a number of runs and its interval; "-" where it, or an end, is beyond what was seen."""

    def said(value: float) -> str:
        return f"{value:.0f}" if math.isfinite(value) else "-"

    if estimate.exact:
        return said(estimate.value)
    return f"{said(estimate.value)} [{said(estimate.low)}, {said(estimate.high)}]"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0")


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.2g} ms"


def conclusions(result: Comparison) -> list[str]:
    """Return what the figures say, one line each."""
    said = []
    drawing = [row for row in result.rows if row.kind in {Kind.HUNTS, Kind.INDEPENDENT}]
    soonest = min(drawing, key=lambda row: row.needed.value, default=None)
    for row in result.rows:
        if row.kind is Kind.IN_ORDER and row.found:
            said.append(
                f"To go through {row.drawn_by} ({row.searcher}) takes {row.needed.value:.0f} runs, always, "
                f"and ends in the least plan."
            )
            if soonest is not None and math.isfinite(soonest.needed.value):
                less = soonest.needed.value < row.needed.value
                said.append(
                    f"{'Sooner' if less else 'Nothing is sooner'}, at 95 %: {soonest.searcher} in "
                    f"{_runs(soonest.needed)} runs, which {'has no proof in it' if less else 'is no proof'}."
                )
        elif row.exhausted:
            said.append(f"Nothing fails among {row.drawn_by} ({row.searcher}, {row.runs} runs): a proof.")
        elif not row.found:
            said.append(_nothing(row, result.budget))
    return said


def _nothing(row: Row, budget: int) -> str:
    if row.kind is Kind.IN_ORDER:
        return f"{row.searcher}: none failed in {row.runs} runs, and {row.drawn_by} are more than that."
    if row.rate is not None:
        return (
            f"{row.searcher}: 0 of {row.runs} runs; so a run fails with a probability below "
            f"{percent(row.rate.high)} (95 %), drawn by {row.drawn_by}."
        )
    return (
        f"{row.searcher}: 0 of {row.hunts} hunts; so a hunt of {budget} runs finds it with a probability "
        f"below {percent(row.within.high)} (95 %), with {row.drawn_by}."
    )
