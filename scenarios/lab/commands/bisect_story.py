"""`heisenlab bisect NAME`: three bisections of one repository, made of the versions of a scenario."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

import scenarios
from scenarios.lab.commands.bisect_display import final_line, showing_progress, to_json
from scenarios.lab.commands.display import print_facts, print_line
from scenarios.lab.method.bisect import Question, bisect
from scenarios.lab.method.plain_bisect import named_by_plain
from scenarios.lab.method.repository import Repository, git
from scenarios.lab.method.story_repository import COMMITS, StoryRepository, make
from simulations.errors import LabError
from simulations.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scenarios.lab.method.bisect import Bisection

PLAIN_TRIALS: Final = 1000
"""In how many simulated histories of runs it is counted what plain bisection names."""
CONFIDENCE: Final = 0.95
"""The posterior at which the bisection that knows about flaky tests ends."""
_PYTHON: Final = (sys.executable, "-B")


@dataclass(frozen=True)
class _Shown:
    """What was found in the repository of a story."""

    made: StoryRepository
    replayed: str
    plain: str
    named: Mapping[int, int]
    question: Question
    aware: Bisection


def show(name: str, *, at: Path | None, seed: int, as_json: bool) -> str:
    """Make the repository of a scenario, bisect it in three ways, and return the last line printed.

    Args:
        name: The scenario.
        at: Where the repository is kept; None means that it is removed afterwards.
        seed: Which history; any integer from 0.
        as_json: Print one JSON value.

    Raises:
        LabError: the folder is not empty, git is missing, or the scenario has no bug to show.
    """
    if seed < 0:
        raise LabError(f"the seed is a whole number from 0, not {seed}")
    say = _say_nothing if as_json else _say
    with ExitStack() as stack:
        folder = at
        if folder is None:
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="heisenlab-"))
            folder = Path(temporary) / "repository"
        with Console(stderr=True).status("the repository"):
            made = make(name, folder, seed=seed)
        if not as_json:
            _print_repository(made, kept=at is not None)
        replay = (*_PYTHON, "-m", "scenarios.lab.commands", "replay", "--bisect", str(made.finding))
        replayed = _named_by_git(made, "heisenlab replay --bisect finding.json", replay, say)
        plain = _named_by_git(made, "python stress_test.py", (*_PYTHON, "stress_test.py"), say)
        rates = [made.fails_at(n) if made.versions[n].imports else None for n in range(COMMITS)]
        named = named_by_plain(rates, PLAIN_TRIALS)
        say(_innocent(made, named))
        question = Question(
            good=made.commits[0],
            bad=made.commits[-1],
            command=(*_PYTHON, "stress_test.py"),
            signature=f"^{made.by}: ",
            confidence=CONFIDENCE,
        )
        repository = Repository.at(made.folder)
        aware = _named_by_ours(made, repository, question, say)
        final = final_line(repository, question, aware)
        say("", final)
        if as_json:
            shown = _Shown(made, replayed, plain, named, question, aware)
            print(json.dumps(_data(shown, kept=at is not None), indent=2))
        return final


def _say(*lines: str) -> None:
    """Print lines at once: what follows takes its time, and a pipe would keep them back until the end."""
    for line in lines:
        print_line(line)
    if sys.stdout is not None:  # the caller may have closed it
        sys.stdout.flush()


def _say_nothing(*_: str) -> None:
    pass


def _named_by_git(
    made: StoryRepository, words: str, command: Sequence[str], say: Callable[[str], None]
) -> str:
    """Say what is done, let git do it, and say which commit it names."""
    say(f"$ git bisect run {words}")
    with Console(stderr=True).status(f"git bisect run {words}"):
        named = git_bisect_run(made, command)
    say(f"  {_who(made, named)}")
    return named


def _named_by_ours(
    made: StoryRepository, repository: Repository, question: Question, say: Callable[[str], None]
) -> Bisection:
    """Say what is done, bisect, and say which commits are named."""
    say(
        f"$ heisenlab bisect --good {made.commits[0][:12]} --bad main --signature "
        f"{question.signature!r} -- python stress_test.py"
    )
    with showing_progress() as watch:
        aware = bisect(
            repository,
            question,
            state=made.folder / ".git" / "heisenlab-bisect.json",
            environment=_environment(),
            watch=watch,
        )
    for commit in aware.commits:
        say(f"  {_who(made, commit)}")
    return aware


def git_bisect_run(made: StoryRepository, command: Sequence[str]) -> str:
    """Let git bisect a repository with a command, and return the hash of the commit that it names.

    Raises:
        LabError: git names none.
    """
    git(made.folder, "bisect", "start", made.commits[-1], made.commits[0])
    try:
        git(made.folder, "bisect", "run", *command, environment=_environment())
        return git(made.folder, "rev-parse", "refs/bisect/bad")
    finally:
        git(made.folder, "bisect", "reset")


def _environment() -> dict[str, str]:
    """Return what lets a program in a checkout of the story import this laboratory, wherever it is."""
    return {"PYTHONPATH": str(Path(scenarios.__file__).parents[1])}


def _who(made: StoryRepository, commit: str) -> str:
    number = made.commits.index(commit)
    right = "right" if number == made.culprit else f"an innocent commit, {abs(number - made.culprit)} away"
    return f"{commit[:12]} ({made.versions[number].subject}): {right}"


def _data(shown: _Shown, *, kept: bool) -> dict[str, Any]:
    made = shown.made
    right = shown.named.get(made.culprit, 0)
    return {
        "repository": str(made.folder) if kept else None,
        "commits": len(made.commits),
        "culprit": made.commits[made.culprit],
        "replay": {"commit": shown.replayed, "right": shown.replayed == made.commits[made.culprit]},
        "plain": {
            "commit": shown.plain,
            "right": shown.plain == made.commits[made.culprit],
            "trials": PLAIN_TRIALS,
            "right_in": right,
            "innocent_in": PLAIN_TRIALS - right,
            "innocent_95": list(wilson(PLAIN_TRIALS - right, PLAIN_TRIALS)),
        },
        "flake_aware": {
            **to_json(shown.aware, shown.question),
            "right": shown.aware.commits == (made.commits[made.culprit],),
        },
    }


def _print_repository(made: StoryRepository, *, kept: bool) -> None:
    culprit = made.culprit
    first, last = made.fails_at(culprit), made.fails_at(COMMITS - 1)
    rates = f"{first:.0%} of its runs with the bug in it, {last:.0%} at the last"
    print_facts(
        [
            ("repository", f"{len(made.commits)} commits{f' in {made.folder}' if kept else ''}"),
            ("the bug", f"{made.commits[culprit][:12]} ({made.versions[culprit].subject}), number {culprit}"),
            ("stress test", f"fails in {rates} commit; innocent commits change its rounds"),
        ]
    )
    print()


def _innocent(made: StoryRepository, named: Mapping[int, int]) -> str:
    innocent = PLAIN_TRIALS - named.get(made.culprit, 0)
    low, high = wilson(innocent, PLAIN_TRIALS)
    return (
        f"  it names an innocent commit in {innocent / PLAIN_TRIALS:.1%} [{low:.1%}, {high:.1%}] of "
        f"{PLAIN_TRIALS} simulated bisections with these rates"
    )
