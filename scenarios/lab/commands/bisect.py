"""`heisenlab bisect`: which commit brought a failure that does not show in every run?"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from scenarios.lab.commands.command import DONE, GAVE_UP, INTERRUPTED, UsageError
from scenarios.lab.commands.display import print_facts, print_rows
from scenarios.lab.commands.journal import add_journal_arguments, check_journal, note
from scenarios.lab.method.bisect import RUNS_MAX, Answer, Bisection, Question, bisect, state_file
from scenarios.lab.method.repository import Repository, inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenarios.lab.method.bisect import Progress
    from scenarios.lab.method.flaky_bisect import Belief

_EPILOG: Final = """\
CMD passes with status 0, fails with 1 to 124 (given --signature, only if its output matches), and says nothing
with 125, 126, 127, a signal, a status above 127 or a time-out. It runs in a git worktree of its own.
"""
_HASH: Final = 12


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
        "--signature", metavar="REGEX", help="what the output of a failing run shows; other failures are no verdict"
    )
    own.add_argument(
        "--history",
        type=_history,
        default={},
        metavar="good=K/N,bad=K/N",
        help="failing runs and runs of the two ends that are known already, as good=0/200,bad=7/30",
    )
    own.add_argument("--confidence", type=float, default=0.95, metavar="P", help="posterior at which it ends; .95")
    own.add_argument("--first-parent", action="store_true", help="take a merge as one step; default: every commit")
    own.add_argument("--max-runs", type=int, default=RUNS_MAX, metavar="N", help=f"default: {RUNS_MAX}")
    own.add_argument("--timeout", type=float, metavar="S", help="seconds that a run may take; default: no limit")
    own.add_argument("--state", type=Path, metavar="FILE", help="written after every run; default: in .git")
    own.add_argument("-C", "--repository", default=".", metavar="DIR", help="default: the present folder")
    story = parser.add_argument_group("on the versions of a scenario")
    story.add_argument("--at", type=Path, metavar="DIR", help="keep the repository there; default: temporary")
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
    result = _own(repository, question, args.state or state_file(repository, question), as_json=args.json)
    if result is None:
        return INTERRUPTED
    note(args, f"bisect {args.good}..{args.bad}", _concluded(repository, question, result))
    return GAVE_UP if result.answer is Answer.GAVE_UP else DONE


def _own(repository: Repository, question: Question, state: Path, *, as_json: bool) -> Bisection | None:
    """Bisect and print the result; None when it was interrupted."""
    changed = repository.changed_files()
    if changed:
        _say(f"{changed} changed files are not committed, so no version has them; they are left as they are")
    for argument in inside(repository, question.command):
        _say(f"{argument} is in your checkout: every version would run that same file; name it relative")
    began: list[int] = []
    try:
        with showing_progress() as watch:

            def watched(progress: Progress, belief: Belief, words: str) -> None:
                if not began:
                    began.append(progress.runs - 1)
                    if began[0]:
                        _say(f"{began[0]} runs were done before, as {state} says; going on from there")
                watch(progress, belief, words)

            result = bisect(repository, question, state=state, watch=watched)
    except KeyboardInterrupt:
        _say(f"interrupted; that is no verdict. The same command goes on from {state}")
        return None
    if as_json:
        print(json.dumps({**to_json(result, question), "state": str(state)}, indent=2))
    else:
        _print(repository, question, result)
    return result


def _say(message: str) -> None:
    print(f"heisenlab: {message}", file=sys.stderr)


@contextmanager
def showing_progress() -> Iterator[Callable[[Progress, Belief, str], None]]:
    """Show on a terminal how far a bisection is; yield what to call after a run."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("the bad end", total=None)

        def watch(progress: Progress, belief: Belief, words: str) -> None:
            suspects = belief.suspects(progress.evidence)
            who = progress.span.commits[suspects.versions[0]][:_HASH] if suspects.versions else "no version"
            bar.update(
                task,
                description=f"run {progress.runs}: {words}; {who} at {suspects.probability:.2f}",
            )

        yield watch


def assumed(question: Question) -> list[str]:
    """Return what the model takes for granted, one clause each."""
    what = f"output matching {question.signature!r}" if question.signature else "a failing run (status 1 to 124)"
    return [
        f"a good version never shows {what}",
        "one commit brought it, and every version that contains this commit has it",
        "each bad version fails at a rate of its own (Beta(1, 1), or with prior 1/3 one they share)",
        "runs are independent",
    ]


def to_json(result: Bisection, question: Question) -> dict[str, Any]:
    """Return a bisection as JSON-able data."""
    return {
        "answer": result.answer.value,
        "commit": result.commits[0] if result.answer is Answer.COMMIT else None,
        "suspects": [*result.commits],
        "posterior": result.posterior,
        "confidence": question.confidence,
        "failed": result.failed,
        "runs_there": result.runs_there,
        "runs_before": result.before,
        "runs": result.runs,
        "versions": result.versions,
        "skipped": result.skipped,
        "counts": {commit: {"failed": k, "passed": n} for commit, (k, n) in result.counted.items()},
        "assumes": assumed(question),
    }


def _print(repository: Repository, question: Question, result: Bisection) -> None:
    rows = [
        (commit[:_HASH], f"{failed}/{failed + passed}", repository.subject(commit))
        for commit, (failed, passed) in result.counted.items()
    ]
    rows += [(commit[:_HASH], "skipped", words) for commit, words in result.skipped.items()]
    print_rows(("version", "failed", "what it is"), rows)
    print()
    print_facts([("command", shlex.join(question.command))])
    print()
    for commit in result.commits if result.answer is Answer.COMMITS else ():
        print(f"suspect  {commit}  {repository.subject(commit)}")
    print(final_line(repository, question, result))


def final_line(repository: Repository, question: Question, result: Bisection) -> str:
    """Say the result in one line, with what it rests on."""
    return f"{_concluded(repository, question, result)}; assumes that {'; '.join(assumed(question))}"


def _concluded(repository: Repository, question: Question, result: Bisection) -> str:
    spent = f"{result.runs} runs of {result.versions} versions"
    posterior = f"posterior {result.posterior:.3f}"
    rates = f"failed {result.failed}/{result.runs_there} there, 0/{result.before} right before"
    match result.answer:
        case Answer.COMMIT:
            (commit,) = result.commits
            return f"{commit} brought it ({repository.subject(commit)}): {posterior}, {rates}; {spent}"
        case Answer.COMMITS:
            return (
                f"one of {len(result.commits)} commits brought it, from {result.commits[0]} to "
                f"{result.commits[-1]}, which cannot be told apart since versions were skipped: {posterior}, "
                f"{rates}; {spent}"
            )
        case Answer.OLDER:
            return f"no change in this range: {question.good} has the failure already: {posterior}; {spent}"
        case Answer.NEVER:
            return f"no change in this range: {question.bad} does not show the failure either: {posterior}; {spent}"
        case Answer.GAVE_UP:
            best = f"the best suspect is {result.commits[0]}" if result.commits else "there is no suspect"
            return f"gave up: {best}, {posterior}, below {question.confidence:g}; {spent}"
