"""`heisenlab mark`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.commands.command import DONE, FOUND, GAVE_UP, USAGE, file_name
from scenarios.lab.commands.display import print_facts, print_line, print_rows, progress
from scenarios.lab.covered import HIDDEN
from scenarios.lab.finding import load
from scenarios.lab.minimise import MINIMISING_BUDGET
from scenarios.lab.teaching.marking import Least, mark
from simulations.errors import LabError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenarios.lab.finding import Finding
    from scenarios.lab.teaching.marking import Mark

_DIGEST: Final = 12
_REPRODUCES: Final = {"identical": "yes", "differs": "otherwise", "holds": "no"}


@dataclass(frozen=True)
class _Submission:
    """A file, what it holds, and what that is worth; or why it cannot be marked."""

    file: str
    finding: Finding | None = None
    mark: Mark | None = None
    problem: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Mark findings by running them: does each reproduce, and is it least? What a file says of itself is "
        "not believed; everything below its plan is run, up to the budget."
    )
    parser.epilog = (
        "exit codes: 0 each reproduces and is least; 1 one does not reproduce, or is not least; 2 a file "
        "cannot be used; 3 the budget did not suffice to say whether one is least"
    )
    parser.add_argument(
        "files", type=file_name, nargs="+", metavar="FINDING", help="findings, as written by hunt -o"
    )
    parser.add_argument(
        "--budget",
        type=int,
        default=MINIMISING_BUDGET,
        metavar="N",
        help=f"runs for each finding; default: {MINIMISING_BUDGET}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Mark each file; one that cannot be used keeps no other from its mark."""
    submissions = []
    with progress("mark") as watch:
        for number, file in enumerate(args.files):
            watch(number, len(args.files))
            submissions.append(_marked(file, args.budget))
    if args.json:
        print(json.dumps([_data(each, hide=args.no_spoilers) for each in submissions], indent=2))
    else:
        _print(submissions, hide=args.no_spoilers)
    return _status(submissions)


def _marked(file: str, budget: int) -> _Submission:
    finding = None
    try:
        finding = load(file)
        return _Submission(file, finding, mark(finding, budget=budget))
    except LabError as error:
        return _Submission(file, finding, problem=str(error))


def _status(submissions: Sequence[_Submission]) -> int:
    if any(each.mark is None for each in submissions):
        return USAGE
    marks = [each.mark for each in submissions if each.mark is not None]
    if any(each.replayed != "identical" or each.least is Least.NO for each in marks):
        return FOUND
    return GAVE_UP if any(each.least is Least.UNDECIDED for each in marks) else DONE


def _data(each: _Submission, *, hide: bool) -> dict[str, Any]:
    finding, result = each.finding, each.mark
    lesser = result and result.lesser
    words = {"plan_in_words": None, "input": None} if hide else {}
    return {
        "file": each.file,
        "scenario": finding and finding.scenario,
        "variant": finding and finding.variant,
        "by": finding and finding.by,
        "digest": finding and finding.digest,
        "replayed": result and result.replayed,
        "least": result and result.least.value,
        "how": result and result.how,
        "runs": result and result.runs,
        "lesser": {**vars(lesser), **words} if lesser else None,
        "full": result is not None and result.full,
        "problem": each.problem or None,
    }


def _print(submissions: Sequence[_Submission], *, hide: bool) -> None:
    rows, notes = [], []
    for each in submissions:
        if each.finding is None or each.mark is None:
            rows.append((each.file, "", "cannot be used", "", ""))
            notes.append((each.file, each.problem))
            continue
        bug = f"{each.finding.scenario} / {each.finding.variant}"
        reproduces = _REPRODUCES[each.mark.replayed]
        rows.append((each.file, bug, reproduces, each.mark.least.value, each.finding.digest[:_DIGEST]))
        lesser = each.mark.lesser
        words = "" if lesser is None else f": {HIDDEN if hide else lesser.plan_in_words}"
        notes.append((each.file, f"{each.mark.how}{words}"))
    print_rows(("file", "bug", "reproduces", "least", "digest"), rows)
    print()
    print_facts(notes)
    full = sum(each.mark is not None and each.mark.full for each in submissions)
    print()
    print_line(f"{full} of {len(submissions)} reproduce and are least")
