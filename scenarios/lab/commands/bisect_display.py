"""How a bisection is shown: its progress, its result in one line, and as JSON-able data."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from scenarios.lab.commands.display import print_facts, print_line, print_rows
from scenarios.lab.method.bisect import Answer, Bisection, Question
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenarios.lab.method.bisect import Progress
    from scenarios.lab.method.flaky_bisect import Belief
    from scenarios.lab.method.repository import Repository

_HASH: Final = 12
ONE_FAILURE: Final = (
    "only one run failed there: if it may have been another failure, give --signature what this one prints"
)
"""What is said where a single run without a signature decided."""


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
                description=printable(f"run {progress.runs}: {words}; {who} at {suspects.probability:.2f}"),
            )

        yield watch


def assumed(question: Question) -> list[str]:
    """Return what the model takes for granted, one clause each."""
    what = (
        f"output matching {question.signature!r}" if question.signature else "a failing run (status 1 to 124)"
    )
    return [
        f"a good version never shows {what}",
        "one commit brought it, and every version that contains this commit has it",
        "bad versions fail at a rate that a share of them has in common, and the others each at its own",
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


def print_result(repository: Repository, question: Question, result: Bisection) -> None:
    """Print what was seen at each version, and the result."""
    rows = [
        (commit[:_HASH], f"{failed}/{failed + passed}", repository.subject(commit))
        for commit, (failed, passed) in result.counted.items()
    ]
    rows += [(commit[:_HASH], "skipped", words) for commit, words in result.skipped.items()]
    print_rows(("version", "failed", "what it is"), rows)
    print()
    print_facts([("command", shlex.join(question.command))], wrap=False)
    print()
    if question.signature is None and result.answer in {Answer.COMMIT, Answer.OLDER} and result.failed == 1:
        print_line(ONE_FAILURE)
    for commit in result.commits if result.answer is Answer.COMMITS else ():
        print_line(f"suspect  {commit}  {repository.subject(commit)}")
    print_line(final_line(repository, question, result))


def final_line(repository: Repository, question: Question, result: Bisection) -> str:
    """Say the result in one line, with what it rests on."""
    return f"{concluded(repository, question, result)}; assumes that {'; '.join(assumed(question))}"


def concluded(repository: Repository, question: Question, result: Bisection) -> str:
    """Say the result in one line, without what it rests on."""
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
            bad = question.bad
            return f"no change in this range: {bad} does not show the failure either: {posterior}; {spent}"
        case Answer.GAVE_UP:
            best = f"the best suspect is {result.commits[0]}" if result.commits else "there is no suspect"
            return f"gave up: {best}, {posterior}, below {question.confidence:g}; {spent}"
