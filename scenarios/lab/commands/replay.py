"""`heisenlab replay`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE, FOUND, UsageError
from scenarios.lab.commands.display import print_facts
from scenarios.lab.covered import deviations
from scenarios.lab.execution import QUESTIONS_MAX
from scenarios.lab.finding import load
from scenarios.lab.replay import bisect_verdict, replay
from simulations.terminal_text import printable

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.finding import Finding
    from scenarios.lab.replay import Replay


_MOMENT_WIDTH: Final = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="a finding, as written by hunt -o")
    parser.add_argument("--trace", action="store_true", help="print every event")
    parser.add_argument(
        "--bisect",
        action="store_true",
        help="for git bisect run: 0 clean, 1 bug, 125 cannot be judged; searches around the plan where it "
        "does not apply as it stands",
    )
    parser.add_argument(
        "--questions-max",
        type=int,
        default=QUESTIONS_MAX,
        metavar="N",
        help="questions that the run may ask, so that a stranger's finding costs seconds; default: "
        f"{QUESTIONS_MAX}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Replay a finding and say whether it still fails."""
    if args.trace and args.no_spoilers:
        raise UsageError("the events say what the cause is: leave out --trace or --no-spoilers")
    finding = load(args.file)
    if args.bisect:
        return _bisect(finding, questions_max=args.questions_max, as_json=args.json)
    result = replay(finding, questions_max=args.questions_max)
    if args.json:
        data = result.to_json()
        if args.no_spoilers:
            data |= {"plan": None, "plan_in_words": None}
        if args.trace:
            data["trace"] = list(result.outcome.run.trace)
        print(json.dumps(data, indent=2))
    else:
        _print(finding, result, with_trace=args.trace, hide=args.no_spoilers)
    return DONE if result.result == "holds" else FOUND


def _bisect(finding: Finding, *, questions_max: int, as_json: bool) -> int:
    found, runs = bisect_verdict(finding, questions_max=questions_max)
    if as_json:
        print(json.dumps({"found": found, "by": finding.by, "runs": runs}, indent=2))
    else:
        print(f"{finding.by} {'fails' if found else 'holds'} ({runs} runs)")
    return FOUND if found else DONE


def _print(finding: Finding, result: Replay, *, with_trace: bool, hide: bool) -> None:
    console = Console(soft_wrap=True)
    if with_trace:
        moment = get(finding.scenario).moment
        for event in result.outcome.run.trace:
            console.print(
                printable(event.said_at(f"{moment(event.time):>{_MOMENT_WIDTH}}")),
                highlight=False,
                markup=False,
            )
    said = {
        "identical": "[bold red]reproduced[/], identical to the finding",
        "differs": "[bold red]fails[/], but the trace is another one than in the finding",
        "holds": "[bold green]holds[/]: the finding does not show here",
    }[result.result]
    name = escape(printable(f"{finding.scenario} / {finding.variant}"))
    console.print(f"{name}: {said}", highlight=False)
    failure = result.outcome.failure
    plan = deviations(len(result.outcome.chooser.plan)) if hide else result.plan_in_words
    facts = [("plan", plan), ("digest", result.digest)]
    if failure:
        facts.insert(1, ("fails", f"{failure.by}: {failure.message}"))
    if not hide and finding.plan_in_words != result.plan_in_words:
        facts.append(("in the file", f"the plan reads otherwise: {finding.plan_in_words}"))
    if result.result == "identical" and failure and failure.message != finding.message:
        facts.append(("in the file", f"the message reads otherwise: {finding.message}"))
    if result.result != "identical":
        facts.append(("was", f"{finding.by}: {finding.message}; digest {finding.digest}"))
        facts += [
            ("changed since", line) for line in result.changed or ["nothing that the fingerprint shows"]
        ]
    print_facts(facts)
