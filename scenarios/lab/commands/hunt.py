"""`heisenlab hunt`."""

from __future__ import annotations

import json
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scenarios.lab.commands import covered
from scenarios.lab.commands.command import (
    DONE,
    FOUND,
    GAVE_UP,
    USAGE,
    UsageError,
    file_name,
    interrupted_by,
    interrupted_status,
)
from scenarios.lab.commands.display import complain, print_facts
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.commands.workers import add_workers_arguments
from scenarios.lab.finding import FindingError, check_writable
from scenarios.lab.hunt import HuntInterrupted, hunt
from scenarios.lab.progress import resumed
from scenarios.lab.rescue import save
from simulations.terminal_text import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from scenarios.lab.finding import Finding
    from scenarios.lab.hunt import Hunt
    from scenarios.lab.progress import HuntProgress
    from scenarios.lab.searchers import Tally

_STATUSES: Final = {"found": FOUND, "exhausted": DONE, "gave up": GAVE_UP}
_COLOURS: Final = {"found": "red", "exhausted": "green", "gave up": "yellow"}
_OPTIONS: Final = ("name", "variant", "searcher", "seed", "budget", "deviations")
"""What a hunt depends on, besides the code."""
_NAMES_WIDTH: Final = len("minimality")
_REDRAWN_EVERY_RUNS: Final = 10


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
        help="hypothesis, random, plain or exhaustive; default: hypothesis",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the search; default: 0")
    parser.add_argument("--budget", type=int, metavar="N", help="runs that the search may take")
    parser.add_argument("--deviations", type=int, metavar="K", help="deviations that a plan may have")
    parser.add_argument("-o", "--output", type=file_name, metavar="FILE", help="save the finding")
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="hunt with N seeds, and count what they end in"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_workers_arguments(parser)
    add_journal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Hunt a variant, print the result, and save what was found."""
    check_journal(args)
    if args.seeds is not None:
        if args.output:
            raise UsageError("--seeds saves no finding; hunt once with -o")
        from scenarios.lab.commands.hunt_seeds import run_seeds  # noqa: PLC0415  (one hunt does without)

        return run_seeds(args)
    if args.cluster:
        raise UsageError("--cluster is for many hunts; add --seeds N")
    progress = _resumed(args) if args.state else None
    if args.output:
        _warn_of(args.output)
    last: list[Tally] = []
    try:
        with _progress(f"{args.name} / {args.variant}") as watch:

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
                progress=progress,
            )
    except HuntInterrupted as stopped:
        result = stopped.hunt
    except KeyboardInterrupt as error:
        so_far = f"after {last[0].runs} runs to {last[0].phase}" if last else "before the first run"
        complain(f"{interrupted_by(error)} {so_far}; that is no verdict{_goes_on(progress)}")
        return interrupted_status(error)
    if progress and progress.problem:
        complain(f"{progress.problem}; the hunt cannot be resumed")
    status = _STATUSES[result.verdict]
    try:
        if args.json:
            data = covered.hunt_data(result) if args.no_spoilers else result.to_json()
            print(json.dumps(data, indent=2), flush=True)
        else:
            _print(result, hide=args.no_spoilers)
    finally:  # also where the standard output is full or gone
        if result.finding and args.output:
            status = _save(result.finding, args.output, as_json=args.json, hide=args.no_spoilers)
    outcome = result.covered_says if args.no_spoilers else result.says
    note(args, f"hunt {result.scenario} / {result.variant}", f"{result.verdict}: {outcome}")
    return status


def _resumed(args: argparse.Namespace) -> HuntProgress:
    """Return the progress of the hunt with these options; what it depends on must be the same."""
    from scenarios.lab.method.campaign import code_stamp  # noqa: PLC0415  (reads all of the source)

    options = {name: getattr(args, name) for name in _OPTIONS}
    return resumed(args.state, {**options, "code": code_stamp()})


def _goes_on(progress: HuntProgress | None) -> str:
    if progress is None or progress.path is None:
        return ""
    return f"; the same command goes on from {shlex.quote(str(progress.path))}"


def _warn_of(output: str) -> None:
    try:
        check_writable(output)
    except FindingError as error:
        complain(f"{error}; the hunt goes on, and what it finds is saved elsewhere")


def _save(finding: Finding, output: str, *, as_json: bool, hide: bool) -> int:
    """Save a finding that was printed already, so that whatever happens here its plan is not lost."""
    saved = save(finding, output)
    if saved.problem:
        if not hide:
            complain(f"the plan is {json.dumps(finding.plan.to_json())}")
        complain(str(saved))
        return USAGE
    if not as_json:
        replay = ("replay".ljust(_NAMES_WIDTH), f"heisenlab replay {shlex.quote(output)}")
        print_facts([replay], wrap=False)
    return FOUND


@contextmanager
def _progress(what: str) -> Iterator[Callable[[Tally], None]]:
    """Draw a progress bar on the standard error where that is a terminal; yield what to call after a run."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.file.isatty()) as bar:
        task = bar.add_task(what)

        def watch(tally: Tally) -> None:
            if tally.runs % _REDRAWN_EVERY_RUNS == 1:
                bar.update(
                    task, description=f"{what}: {tally.phase}", total=tally.limit, completed=tally.runs
                )

        yield watch


def _print(result: Hunt, *, hide: bool) -> None:
    console = Console(soft_wrap=True)
    colour = _COLOURS[result.verdict]
    name = escape(printable(f"{result.scenario} / {result.variant}"))
    console.print(f"{name}: [bold {colour}]{result.ended}[/]", highlight=False)
    print_facts(result.covered_facts if hide else result.facts)
