"""`heisenlab hunt --seeds N`: the same hunt with many seeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE, FOUND, GAVE_UP
from scenarios.lab.commands.display import afterwards, print_facts, print_rows, progress
from scenarios.lab.commands.journal_options import note
from scenarios.lab.commands.workers import interrupted, pool_of
from scenarios.lab.method.many_seeds import Hunts, hunts
from scenarios.lab.verdict import Verdict
from simulations.intervals import wilson

if TYPE_CHECKING:
    import argparse

_DIGEST: Final = 12


def run_seeds(args: argparse.Namespace) -> int:
    """Hunt with many seeds, print how many find it and in what they end, and return the exit code."""
    try:
        with pool_of(args) as pool, progress(f"{args.name} / {args.variant}") as watch:
            result = hunts(
                get(args.name),
                args.variant,
                seeds=args.seeds,
                seed=args.seed,
                searcher=args.searcher,
                budget=args.budget,
                deviations=args.deviations,
                pool=pool,
                state=args.state,
                watch=watch,
            )
    except KeyboardInterrupt as error:
        return interrupted(args, error, "verdict")
    says = _says(result)
    what = f"hunt {result.scenario} / {result.variant} with {result.seeds[1]} seeds"
    with afterwards(lambda: note(args, what, says)):
        if args.json:
            print(json.dumps(_data(result, hide=args.no_spoilers), indent=2))
        else:
            _print(result, says, hide=args.no_spoilers)
    if result.found:
        return FOUND
    return DONE if [*result.verdicts] == [Verdict.EXHAUSTED] else GAVE_UP


def _says(result: Hunts) -> str:
    low, high = wilson(result.found, result.seeds[1])
    return (
        f"found by {result.found} of {result.seeds[1]} hunts "
        f"({result.found / result.seeds[1]:.3f} [{low:.3f}, {high:.3f}] at 95 %)"
    )


def _data(result: Hunts, *, hide: bool) -> dict[str, Any]:
    return {
        "scenario": result.scenario,
        "variant": result.variant,
        "searcher": result.searcher,
        "first_seed": result.seeds[0],
        "seeds": result.seeds[1],
        "verdicts": result.verdicts,
        "found_95": list(wilson(result.found, result.seeds[1])),
        "search_runs": [*result.search_runs],
        "findings": [
            {"plan_in_words": None if hide else words, "digest": digest, "hunts": count}
            for words, digest, count in result.findings
        ],
    }


def _print(result: Hunts, says: str, *, hide: bool) -> None:
    first, number = result.seeds
    facts = [
        (f"{result.scenario} / {result.variant}", says),
        ("searcher", f"{result.searcher}, seeds {first} to {first + number - 1}"),
    ]
    if result.search_runs:
        runs = result.search_runs
        facts.append(("search runs", f"{runs[0]} to {runs[-1]}, half within {runs[(len(runs) - 1) // 2]}"))
    print_facts(facts)
    if result.findings:
        print()
        ends = [] if hide else ["they end in"]
        rows = [
            (str(count), digest[:_DIGEST], *([] if hide else [words]))
            for words, digest, count in result.findings
        ]
        print_rows(("hunts", "digest", *ends), rows)
