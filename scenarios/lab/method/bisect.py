"""Which commit brought a failure that does not show in every run? Over a real git repository.

The versions are run in a worktree of our own. Plain statuses decide: 0 passes; 125, 126, 127, a program that
cannot be started, a signal, a status above 127 and a time-out are no verdict; everything else fails, and
where a signature is given only if the output shows it. What the runs mean is `flaky_bisect`'s business.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.files import read_at_most
from scenarios.lab.finding import FindingError, write_whole
from scenarios.lab.method.flaky_bisect import Evidence, believe, next_version
from scenarios.lab.method.repository import Range, Repository, check_out, range_of, worktree
from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.lab.method.flaky_bisect import Belief

FORMAT: Final = "heisenlab bisect"
"""What a state file says it is."""
SCHEMA: Final = 1
RUNS_MAX: Final = 2000
"""How many runs a bisection may take unless the caller says otherwise."""
NO_VERDICTS_MAX: Final = 5
"""A version is skipped when its first runs, as many as this, all ended without a verdict."""
_STATE_BYTES_MAX: Final = 64 * 2**20
_COUNT_MAX: Final = 10**9
_OUTPUT_BYTES_MAX: Final = 4 * 1024 * 1024
SKIP: Final = 125
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127


class Kind(StrEnum):
    """How one run of the command ended."""

    PASSED = "passed"
    """With status 0."""
    FAILED = "failed"
    """With a status from 1 to 124, and with the signature where one is asked for."""
    OTHER = "failed otherwise"
    """With such a status, but without the signature; no verdict."""
    SKIP = "skip"
    """With status 125: this version cannot be judged."""
    CANNOT_RUN = "cannot run"
    """The command is not there or cannot be executed: 126, 127, or it could not even be started."""
    ENDED = "ended from outside"
    """By a signal, with a status above 127, or by the time-out; no verdict."""


class Answer(StrEnum):
    """What a bisection concludes."""

    COMMIT = "one commit brought it"
    COMMITS = "one of several commits brought it"
    """Nothing between them can be judged."""
    OLDER = "it is older than the good end"
    NEVER = "it does not show, also not at the bad end"
    GAVE_UP = "gave up"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        good: The revision without the failure.
        bad: The revision with it.
        command: The program and its arguments.
        signature: A regular expression that the output of a failing run must match; None means any output.
        history: What is known of the two ends beforehand, as (failing runs, runs).
        confidence: The posterior at which it ends, above 0.5 and below 1.
        first_parent: Whether merges are taken as one step.
        runs_max: How many runs it may take, from 1.
        seconds_max: How long a run may take, in seconds; None means for ever.
    """

    good: str
    bad: str
    command: tuple[str, ...]
    signature: str | None = None
    history: dict[str, tuple[int, int]] = field(default_factory=dict)
    confidence: float = 0.95
    first_parent: bool = False
    runs_max: int = RUNS_MAX
    seconds_max: float | None = None

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            raise LabError(f"confidence is above 0.5 and below 1, not {self.confidence:g}")
        if self.runs_max < 1:
            raise LabError(f"a bisection takes 1 or more runs, not {self.runs_max}")
        if self.seconds_max is not None and not self.seconds_max > 0:
            raise LabError(f"a run may take more than 0 seconds, not {self.seconds_max:g}")
        try:
            re.compile(self.signature or "")
        except (re.error, OverflowError, RecursionError) as error:
            raise LabError(
                f"the signature {shown(self.signature)} is no regular expression: {error}"
            ) from error
        for end, (failed, runs) in self.history.items():
            if not 0 <= failed <= runs:
                raise LabError(f"the history {end}={failed}/{runs} has more failures than runs")
        if self.history.get("good", (0, 0))[0]:
            raise LabError(
                f"the good end failed {self.history['good'][0]} times, but a good version never shows the "
                f"failure: name an older --good, or a --signature that only this failure shows"
            )


@dataclass(frozen=True)
class Bisection:
    """The result.

    Attributes:
        answer: What is concluded.
        commits: The commits it names, full hashes; one for `COMMIT`. Where it gave up, the best suspects.
        posterior: The probability of that.
        failed: At the version that it names (or the last of several): runs that failed.
        runs_there: Runs of that version which passed or failed, the history of an end included.
        before: Runs of the versions right before, which all passed.
        runs: All runs of the command, those without a verdict included.
        versions: How many versions were run.
        skipped: Why versions could not be judged, by their hash.
        counted: For each version that was run its (failed, passed), in the order of the history.
        problem: Why the state file could not be written any more; None where it was.
    """

    answer: Answer
    commits: tuple[str, ...]
    posterior: float
    failed: int
    runs_there: int
    before: int
    runs: int
    versions: int
    skipped: dict[str, str]
    counted: dict[str, tuple[int, int]]
    problem: str | None = None


@dataclass
class Progress:
    """A bisection under way: what was seen, in the words of the repository.

    Attributes:
        span: The versions.
        evidence: What was seen at each.
        runs: How often the command was run.
        no_verdict: For each version, how many runs ended without one.
        why: Why versions are skipped.
        problem: Why the state file could not be written any more; the bisection goes on without.
    """

    span: Range
    evidence: Evidence
    runs: int = 0
    no_verdict: dict[int, int] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)
    problem: str | None = None

    def note(self, version: int, kind: Kind, words: str) -> None:
        """Note how a run of a version ended."""
        self.runs += 1
        if kind in {Kind.PASSED, Kind.FAILED}:
            self.evidence.add(version, **{kind.value: 1})
            return
        self.no_verdict[version] = self.no_verdict.get(version, 0) + 1
        hopeless = not self.evidence.runs(version) and self.no_verdict[version] >= NO_VERDICTS_MAX
        if kind in {Kind.SKIP, Kind.CANNOT_RUN} or hopeless:
            self.skip(version, words)

    def skip(self, version: int, words: str) -> None:
        """Leave a version out from now on."""
        self.evidence.skipped.add(version)
        self.why[version] = words

    def to_json(self) -> dict[str, Any]:
        """Return the runs as JSON-able data, by hash."""
        commits = self.span.commits
        return {
            "runs": self.runs,
            "counts": {
                commits[number]: [
                    self.evidence.failed.get(number, 0),
                    self.evidence.passed.get(number, 0),
                    self.no_verdict.get(number, 0),
                ]
                for number in sorted({*self.evidence.failed, *self.evidence.passed, *self.no_verdict})
            },
            "skipped": {commits[number]: words for number, words in self.why.items()},
        }


def bisect(
    repository: Repository,
    question: Question,
    *,
    state: Path,
    environment: Mapping[str, str] | None = None,
    watch: Callable[[Progress, Belief, str], None] | None = None,
) -> Bisection:
    """Find the commit that brought a failure.

    Args:
        repository: The user's repository; its checkout is not touched.
        question: What is asked.
        state: A file that is written after each run. If it holds an unfinished bisection of the same
            question, that is continued; when this one is over, the file says so.
        environment: Further variables for the command.
        watch: Called after each run, with the hash of the version and how it ended.

    Raises:
        LabError: a revision does not exist, the bad end cannot be judged, git says no, or the state file
            holds something else.
        KeyboardInterrupt: interrupted; the state file holds what was seen.
    """
    span = range_of(repository, question.good, question.bad, first_parent=question.first_parent)
    progress = _resumed(state, question, span)
    keep = _save  # what cannot be written from the first run on is an error
    last = len(span.commits) - 1
    with worktree(repository, span.commits[last]) as tree:
        runner = _Runner(tree, repository.prefix, question, span, {**os.environ, **(environment or {})})
        runner.needed = _files_named(repository, question, tree)
        present = last
        while True:
            belief = believe(progress.evidence)
            found = _concluded(question, progress, belief)
            if found is not None:
                _keep(state, question, progress, done=True)
                return replace(found, problem=progress.problem)
            chosen = _next(progress, belief, present, last)
            if chosen is None:
                _keep(state, question, progress, done=True)
                return replace(_result(Answer.GAVE_UP, progress, belief), problem=progress.problem)
            present = chosen
            kind, words = runner.run(present)
            progress.note(present, kind, words)
            keep(state, question, progress, done=False)
            keep = _keep
            if last in progress.evidence.skipped:
                raise LabError(
                    f"the bad end {span.commits[last][:12]} cannot be judged ({words}); name another --bad, "
                    f"or mend the command"
                )
            if watch is not None:
                watch(progress, belief, f"{span.commits[present][:12]} {kind}")


def _next(progress: Progress, belief: Belief, present: int, last: int) -> int | None:
    """Return the version to run: the bad end first, since a mistake in the command shows there."""
    if not progress.evidence.runs(last):
        return last
    return next_version(progress.evidence, belief, present)


def _concluded(question: Question, progress: Progress, belief: Belief) -> Bisection | None:
    suspects = belief.suspects(progress.evidence)
    if suspects.probability < question.confidence or not progress.evidence.total:
        return _result(Answer.GAVE_UP, progress, belief) if progress.runs >= question.runs_max else None
    if not suspects.versions:
        answer = Answer.NEVER
    elif 0 in suspects.versions:
        answer = Answer.OLDER
    else:
        answer = Answer.COMMIT if len(suspects.versions) == 1 else Answer.COMMITS
    return _result(answer, progress, belief)


def _result(answer: Answer, progress: Progress, belief: Belief) -> Bisection:
    evidence, commits = progress.evidence, progress.span.commits
    suspects = belief.suspects(evidence)
    there = suspects.versions[-1] if suspects.versions else len(commits) - 1
    parents = [each for number in suspects.versions for each in evidence.versions.parents[number]]
    before = sum(evidence.runs(each) for each in {*parents} - {*suspects.versions})
    ran = sorted(evidence.failed.keys() | evidence.passed.keys())
    return Bisection(
        answer=answer,
        commits=tuple(commits[number] for number in suspects.versions),
        posterior=suspects.probability,
        failed=evidence.failed.get(there, 0),
        runs_there=evidence.runs(there),
        before=before,
        runs=progress.runs,
        versions=len({*ran, *progress.no_verdict}),
        skipped={commits[number]: words for number, words in progress.why.items()},
        counted={
            commits[number]: (evidence.failed.get(number, 0), evidence.passed.get(number, 0))
            for number in ran
        },
    )


@dataclass
class _Runner:
    """Runs the command at one version after the other."""

    tree: Path
    prefix: str
    question: Question
    span: Range
    environment: Mapping[str, str]
    needed: tuple[str, ...] = ()
    present: int | None = None

    def run(self, version: int) -> tuple[Kind, str]:
        if version != self.present:
            check_out(self.tree, self.span.commits[version])
            self.present = version
        for path in self.needed:
            # Python and pytest exit with 2 and 4 for a file that is not there, which is no failing test.
            if not (self.tree / self.prefix / path).exists():
                return Kind.CANNOT_RUN, f"this version has no {path}"
        return run_command(self.question, self.tree / self.prefix, self.environment)


def _files_named(repository: Repository, question: Question, tree: Path) -> tuple[str, ...]:
    """Return the arguments of the command that are files of the bad end.

    Raises:
        LabError: one is in the user's folder and was never committed.
    """
    program, *arguments = question.command
    # A program without a slash is looked for on PATH, whatever file is called the same.
    named = [each for each in arguments if each.strip()] + ([program] if "/" in program else [])
    named = [each for each in named if not Path(each).is_absolute()]
    here, there = repository.top / repository.prefix, tree / repository.prefix
    for path in named:
        if _is_there(here / path) and not _is_there(there / path):
            raise LabError(
                f"{path} is in your checkout and not in {question.bad}, so no version has it: commit it, or "
                f"name it by its absolute path if every version shall run this same file"
            )
    return tuple(each for each in named if _is_there(there / each))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # an argument that is no path, such as a long program text
        return False


def run_command(question: Question, folder: Path, environment: Mapping[str, str]) -> tuple[Kind, str]:
    """Run the command once, in a folder, and say how it ended, as a value and in words."""
    command, seconds_max = question.command, question.seconds_max
    if not folder.is_dir():
        return Kind.CANNOT_RUN, f"this version has no folder {folder.name}"
    # Into a file, since a pipe would wait for whatever the command leaves running.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Kind.CANNOT_RUN, f"{command[0]}: {getattr(error, 'strerror', None) or error}"
        try:
            status = process.wait(timeout=seconds_max)
        except subprocess.TimeoutExpired:
            return Kind.ENDED, f"it took more than {seconds_max:g} s"
        finally:
            _end_all(process)
        output.seek(max(0, output.seek(0, os.SEEK_END) - _OUTPUT_BYTES_MAX))
        return judge(status, output.read(), question.signature)


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """End a command with what it has left behind, which would disturb the next run."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def judge(status: int, output: bytes, signature: str | None) -> tuple[Kind, str]:
    """Say what an exit status means; negative ones are signals."""
    if status == 0:
        return Kind.PASSED, "exit status 0"
    if status == SKIP:
        return Kind.SKIP, f"exit status {SKIP}"
    if status in {NOT_EXECUTABLE, NOT_FOUND}:
        return Kind.CANNOT_RUN, f"exit status {status}"
    if status < 0:
        return Kind.ENDED, f"signal {-status}"
    if status > NOT_FOUND:
        return Kind.ENDED, f"exit status {status}"
    text = output.decode(errors="replace")
    if signature is not None and re.search(signature, text, re.MULTILINE) is None:
        return Kind.OTHER, f"exit status {status} without the signature"
    return Kind.FAILED, f"exit status {status}"


def _identity(question: Question, span: Range) -> dict[str, Any]:
    """Return what makes two bisections one: the ends as hashes, since names of revisions move."""
    return {
        "good": span.commits[0],
        "bad": span.commits[-1],
        "command": [*question.command],
        "signature": question.signature,
        "history": {end: [*counts] for end, counts in sorted(question.history.items())},
        "first_parent": question.first_parent,
    }


def state_file(repository: Repository, question: Question) -> Path:
    """Return where a bisection is kept unless the user says: beside git's own, one for each question.

    Raises:
        LabError: a revision does not exist.
    """
    span = range_of(repository, question.good, question.bad, first_parent=question.first_parent)
    key = hashlib.sha256(json.dumps(_identity(question, span), sort_keys=True).encode()).hexdigest()[:12]
    return repository.git_dir / f"heisenlab-bisect-{key}.json"


def _save(state: Path, question: Question, progress: Progress, *, done: bool) -> None:
    content = {
        "format": FORMAT,
        "schema": SCHEMA,
        "question": _identity(question, progress.span),
        "done": done,
        **progress.to_json(),
    }
    write_whole(state, json.dumps(content, indent=1) + "\n")


def _keep(state: Path, question: Question, progress: Progress, *, done: bool) -> None:
    """Save what was seen; a disk that has filled up ends no bisection, which then cannot be resumed."""
    try:
        _save(state, question, progress, done=done)
    except FindingError as error:
        progress.problem = str(error)


def _resumed(state: Path, question: Question, span: Range) -> Progress:
    """Return the progress that a state file holds, or one that begins with the history."""
    progress = Progress(span, Evidence(span.versions))
    try:
        data = json.loads(read_at_most(state, _STATE_BYTES_MAX, "a state file", missing=b'{"done": true}'))
    except (ValueError, RecursionError) as error:
        raise LabError(f"{state} is no state file of a bisection; name another --state") from error
    fresh = isinstance(data, dict) and data.get("done") is True
    if (fresh and "format" not in data) or (fresh and data.get("format") == FORMAT):
        for end, number in (("good", 0), ("bad", len(span.commits) - 1)):
            failed, runs = question.history.get(end, (0, 0))
            if runs:
                progress.evidence.add(number, failed=failed, passed=runs - failed)
        return progress
    try:
        if (data["format"], data["schema"]) != (FORMAT, SCHEMA):
            raise LabError(f"{state} is no state file of a bisection; name another --state")
        if data["question"] != _identity(question, span):
            raise LabError(
                f"{state} holds another bisection, not yet over; name another --state, or remove it"
            )
        number_of = {commit: number for number, commit in enumerate(span.commits)}
        for commit, counts in data["counts"].items():
            failed, passed, without = map(_count, counts)
            if failed + passed:
                progress.evidence.add(number_of[commit], failed=failed, passed=passed)
            if without:
                progress.no_verdict[number_of[commit]] = without
        for commit, words in data["skipped"].items():
            progress.skip(number_of[commit], str(words))
        progress.runs = _count(data["runs"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabError(f"{state} is no state file of a bisection; name another --state") from error
    return progress


def _count(value: object) -> int:
    """Return a number of runs that a state file holds.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or not 0 <= value <= _COUNT_MAX:
        raise ValueError(value)
    return value
