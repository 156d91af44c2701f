"""`heisenlab bisect`: which commit brought a failure that does not show in every run?"""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.bisect_display import concluded, print_result, showing_progress, to_json
from scenarios.lab.commands.command import (
    DONE,
    GAVE_UP,
    UsageError,
    file_name,
    file_path,
    interrupted_by,
    interrupted_status,
)
from scenarios.lab.commands.display import complain
from scenarios.lab.commands.journal_options import add_journal_arguments, check_journal, note
from scenarios.lab.method.bisect import RUNS_MAX, Answer, Bisection, Question, bisect, state_file
from scenarios.lab.method.repository import Repository, inside

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.lab.method.bisect import Progress
    from scenarios.lab.method.flaky_bisect import Belief

_EPILOG: Final = """\
CMD passes with status 0, fails with 1 to 124 (given --signature, only if its output matches), and says
nothing with 125, 126, 127, a signal, a status above 127 or a time-out. It runs in a git worktree of its own.

exit codes: 0 a commit is named, or there is no change in the range; 2 it cannot be run; 3 gave up
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Name the commit that brought a failure which does not show in every run; or, given a scenario, show "
        "on a repository of its versions how that goes wrong and how it goes right."
    )
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = (
        "heisenlab bisect --good A --bad B [options] -- CMD [ARG ...]\n"
        "       heisenlab bisect NAME [--at DIR] [--seed N] [--json]"
    )
    own = parser.add_argument_group("on a repository of your own")
    own.add_argument("--good", metavar="A", help="a revision without the failure, an ancestor of B")
    own.add_argument("--bad", metavar="B", help="a revision with it")
    own.add_argument(
        "--signature",
        metavar="REGEX",
        help="what the output of a failing run shows; other failures are no verdict",
    )
    own.add_argument(
        "--history",
        type=_history,
        default={},
        metavar="good=K/N,bad=K/N",
        help="failing runs and runs of the two ends that are known already, as good=0/200,bad=7/30",
    )
    own.add_argument(
        "--confidence", type=float, default=0.95, metavar="P", help="posterior at which it ends; .95"
    )
    own.add_argument(
        "--first-parent", action="store_true", help="take a merge as one step; default: every commit"
    )
    own.add_argument("--max-runs", type=int, default=RUNS_MAX, metavar="N", help=f"default: {RUNS_MAX}")
    own.add_argument(
        "--timeout", type=float, metavar="S", help="seconds that a run may take; default: no limit"
    )
    own.add_argument(
        "--state", type=file_path, metavar="FILE", help="written after every run; default: in .git"
    )
    own.add_argument(
        "-C", "--repository", type=file_name, default=".", metavar="DIR", help="default: the present folder"
    )
    story = parser.add_argument_group("on the versions of a scenario")
    story.add_argument(
        "--at", type=file_path, metavar="DIR", help="keep the repository there; default: temporary"
    )
    story.add_argument("--seed", type=int, default=0, metavar="N", help="of the repository; default: 0")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    add_journal_arguments(parser)
    parser.add_argument("words", nargs="*", metavar="NAME | -- CMD", help=argparse.SUPPRESS)


def _history(text: str) -> dict[str, tuple[int, int]]:
    known: dict[str, tuple[int, int]] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(good|bad)=(\d{1,9})/(\d{1,9})\s*", part)
        if match is None or match[1] in known:
            raise argparse.ArgumentTypeError(f"{part!r} is not as in good=0/200,bad=7/30")
        known[match[1]] = (int(match[2]), int(match[3]))
    return known


def run(args: argparse.Namespace) -> int:
    """Bisect a repository of the user's, or that of a scenario."""
    words: list[str] = args.words
    check_journal(args)
    if args.good is None and args.bad is None:
        if len(words) != 1:
            raise UsageError("name a scenario, or give --good A --bad B -- CMD")
        if args.no_spoilers:
            raise UsageError("with --no-spoilers no story is bisected: it shows what fails, and since when")
        from scenarios.lab.commands.bisect_story import show  # noqa: PLC0415  (imports a world)

        outcome = show(words[0], at=args.at, seed=args.seed, as_json=args.json)
        note(args, f"bisect {words[0]}", outcome)
        return DONE
    if args.good is None or args.bad is None:
        raise UsageError("give both ends: --good A --bad B -- CMD")
    if not words:
        raise UsageError("name the command to run: heisenlab bisect --good A --bad B -- CMD")
    question = Question(
        good=args.good,
        bad=args.bad,
        command=tuple(words),
        signature=args.signature,
        history=args.history,
        confidence=args.confidence,
        first_parent=args.first_parent,
        runs_max=args.max_runs,
        seconds_max=args.timeout,
    )
    repository = Repository.at(args.repository)
    state = args.state or state_file(repository, question)
    try:
        result = _own(repository, question, state, as_json=args.json)
    except KeyboardInterrupt as error:
        complain(f"{interrupted_by(error)}; that is no verdict. The same command goes on from {state}")
        return interrupted_status(error)
    note(args, f"bisect {args.good}..{args.bad}", concluded(repository, question, result))
    return GAVE_UP if result.answer is Answer.GAVE_UP else DONE


def _own(repository: Repository, question: Question, state: Path, *, as_json: bool) -> Bisection:
    """Bisect and print the result."""
    changed = repository.changed_files()
    if changed:
        complain(
            f"{changed} changed files are not committed, so no version has them; they are left as they are"
        )
    for argument in inside(repository, question.command):
        complain(f"{argument} is in your checkout: every version would run that same file; name it relative")
    began: list[int] = []
    with showing_progress() as watch:

        def watched(progress: Progress, belief: Belief, words: str) -> None:
            if not began:
                began.append(progress.runs - 1)
                if began[0]:
                    complain(f"{began[0]} runs were done before, as {state} says; going on from there")
            watch(progress, belief, words)

        result = bisect(repository, question, state=state, watch=watched)
    if result.problem:
        complain(f"{result.problem}; had it been interrupted, it could not have gone on")
    if as_json:
        print(json.dumps({**to_json(result, question), "state": str(state)}, indent=2))
    else:
        print_result(repository, question, result)
    return result
