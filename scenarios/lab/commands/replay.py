"""`heisenlab replay`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE, FOUND, UsageError, file_name
from scenarios.lab.commands.display import print_facts, print_line
from scenarios.lab.covered import deviations
from scenarios.lab.execution import QUESTIONS_MAX, in_words, replayed
from scenarios.lab.finding import decode_input, load
from scenarios.lab.replay import bisect_verdict, replay
from simulations.choices import Plan
from simulations.terminal_text import printable

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.finding import Finding
    from scenarios.lab.replay import Replay
    from scenarios.lab.scenario import Scenario
    from simulations.trace import Trace


_MOMENT_WIDTH: Final = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "file",
        type=file_name,
        metavar="FILE",
        help="a finding, as written by hunt -o; with --plan the name of a scenario",
    )
    parser.add_argument(
        "--plan", metavar="JSON", help="run this plan, [[label, occurrence, option], ...], without a finding"
    )
    parser.add_argument(
        "--input", metavar="JSON", help="the input of --plan; default: the first of the ladder"
    )
    parser.add_argument("--variant", metavar="V", help="the variant of --plan; default: as-shipped")
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
    if args.plan is not None:
        return _plan(args)
    if args.input is not None or args.variant is not None:
        raise UsageError("--input and --variant belong to a --plan; a finding has its own")
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


def _plan(args: argparse.Namespace) -> int:
    """Run a plan that stands in the command line, and judge it."""
    if args.bisect:
        raise UsageError("--bisect takes a finding: leave out --plan")
    scenario = get(args.file)
    variant = scenario.variant(args.variant or "as-shipped")
    given = scenario.ladder[0] if args.input is None else decode_input(scenario, _json("--input", args.input))
    plan = Plan.from_json(_json("--plan", args.plan))
    outcome = replayed(scenario, variant, given, plan, questions_max=args.questions_max)
    failure, trace = outcome.failure, outcome.run.trace
    if args.json:
        data = {
            "by": failure and failure.by,
            "message": failure and failure.message,
            "digest": trace.digest(),
        }
        print(json.dumps(data | ({"trace": list(trace)} if args.trace else {}), indent=2))
    else:
        if args.trace:
            _print_trace(scenario, trace)
        judged = f"{failure.by}: {failure.message}" if failure else "every property holds"
        words = deviations(len(plan)) if args.no_spoilers else in_words(scenario, outcome.chooser)
        print_facts([("plan", words), ("fails" if failure else "holds", judged), ("digest", trace.digest())])
    return FOUND if failure else DONE


def _json(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} is no JSON: {error}; put it in single quotes") from error


def _bisect(finding: Finding, *, questions_max: int, as_json: bool) -> int:
    found, runs = bisect_verdict(finding, questions_max=questions_max)
    if as_json:
        print(json.dumps({"found": found, "by": finding.by, "runs": runs}, indent=2))
    else:
        print_line(f"{finding.by} {'fails' if found else 'holds'} ({runs} runs)")
    return FOUND if found else DONE


def _print(finding: Finding, result: Replay, *, with_trace: bool, hide: bool) -> None:
    console = Console(soft_wrap=True)
    if with_trace:
        _print_trace(get(finding.scenario), result.outcome.run.trace)
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


def _print_trace(scenario: Scenario, trace: Trace) -> None:
    for event in trace:
        print(printable(event.said_at(f"{scenario.moment(event.time):>{_MOMENT_WIDTH}}")))
