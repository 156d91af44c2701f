"""A small git repository with the versions of a scenario: 128 commits, one of which brings the bug.

Each version is a scenario that the catalogue finds when Python runs in the checkout, so `heisenlab replay
--bisect` judges it. What the versions differ in stands in `version.py`: whether the system is that of the bug
or that of a fix, how many questions the world asks besides (so that everything is asked later than it was),
and how many rounds the stress test runs, which changes how often it fails and brings no bug. A few versions
do not import.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import get
from scenarios.lab.execution import caught, execute
from scenarios.lab.finding import FindingError, decode_input
from scenarios.lab.hunt import hunt
from scenarios.lab.method.repository import git
from scenarios.lab.scenario import Finds, Scenario
from simulations.choices import random, substream
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulations.choices import Chooser

__all__ = ["History", "StoryRepository", "Version", "history", "make"]

COMMITS: Final = 128
"""How many versions a repository has."""
LOW, HIGH = 0.25, 0.9
"""How often the stress test is to fail with the bug in it, and after the loudest innocent commit."""
_UNIMPORTABLE: Final = 3
_INNOCENT_ROUNDS: Final = 4
_INNOCENT_QUESTIONS: Final = 6
_SAMPLE_MAX: Final = 20_000
_FAILURES_ENOUGH: Final = 60
_APART: Final = 2
NOTES: Final = (
    "reword the manual",
    "tidy the imports",
    "spelling",
    "update the copyright",
    "rename a variable",
)


@dataclass(frozen=True)
class Version:
    """What stands in a version's `version.py`.

    Attributes:
        subject: What its commit says.
        buggy: Whether the system is that of the bug.
        questions: How many questions the world asks besides its own.
        rounds: How many runs the stress test makes.
        imports: Whether it can be imported.
    """

    subject: str
    buggy: bool
    questions: int
    rounds: int
    imports: bool = True


@dataclass(frozen=True)
class History:
    """The versions of a scenario, one of which brings its bug.

    Attributes:
        versions: What stands in each, the first one first.
        culprit: The number of the one that brings the bug.
        by: The property that the bug breaks.
        input: The input on which it does, as a finding holds it.
        rate: The share of runs under the noise model that fail with the bug in it.
    """

    versions: tuple[Version, ...]
    culprit: int
    by: str
    input: Any
    rate: float

    def fails_at(self, number: int) -> float:
        """Return the probability that the stress test fails at a version."""
        version = self.versions[number]
        return 1 - (1 - self.rate) ** version.rounds if version.buggy else 0.0


@dataclass(frozen=True)
class StoryRepository(History):
    """A repository that was made of a history.

    Attributes:
        folder: Where it is.
        commits: The hash of each commit, the first commit first.
        finding: Where the finding of the last version is.
    """

    folder: Path
    commits: tuple[str, ...]
    finding: Path


def history_of(name: str, *, seed: int, rate: float) -> tuple[tuple[Version, ...], int]:
    """Return the versions of a repository and the number of the one that brings the bug.

    Args:
        name: The scenario.
        seed: Which history; any integer from 0.
        rate: The share of failing runs, from which the rounds of the stress test are computed.
    """
    rng = substream(seed, f"history of {name}")
    culprit = rng.randrange(COMMITS // 4, COMMITS * 3 // 4)
    louder = rng.randrange(culprit + _APART, COMMITS - 1)
    free = [n for n in range(1, COMMITS - 1) if n != louder and abs(n - culprit) > _APART]
    special = rng.sample(free, _UNIMPORTABLE + _INNOCENT_ROUNDS + _INNOCENT_QUESTIONS)
    broken, special = {*special[:_UNIMPORTABLE]}, special[_UNIMPORTABLE:]
    rounds_at, questions_at = {*special[:_INNOCENT_ROUNDS]}, {*special[_INNOCENT_ROUNDS:]}
    low, high = (_rounds(share, rate) for share in (LOW, HIGH))
    versions: list[Version] = []
    buggy, questions, rounds = False, 0, low
    for number in range(COMMITS):
        subject = f"{NOTES[rng.randrange(len(NOTES))]} ({number})"
        if number == culprit:
            buggy, subject = True, "make it faster"
        elif number == louder:
            rounds, subject = high, "stress test: more rounds"
        elif number in rounds_at and number < louder:
            rounds = rng.randrange(low, 2 * low + 1)
            subject = f"stress test: {rounds} rounds"
        elif number in questions_at:
            questions, subject = questions + 1, f"warm up {questions + 1} times"
        imports = number not in broken
        versions.append(
            Version(subject if imports else f"work in progress ({number})", buggy, questions, rounds, imports)
        )
    return tuple(versions), culprit


def _rounds(share: float, rate: float) -> int:
    rounds = 1
    while 1 - (1 - rate) ** rounds < share:
        rounds += 1
    return rounds


def history(name: str, *, seed: int = 0) -> History:
    """Return the history that `make` makes a repository of; it takes no git.

    Args:
        name: The scenario.
        seed: Which history; any integer from 0.

    Raises:
        LabError: the scenario has no bug and fix to show.
    """
    scenario = get(name)
    bug, _ = _bug_and_fix(scenario)
    found = hunt(scenario, bug, searcher="exhaustive", verify=False).finding
    if found is None:
        raise LabError(f"the bug of {name} was not found, so no repository can show it")
    given = decode_input(scenario, found.input)
    rate = failing_share(scenario, bug, given, found.by)
    versions, culprit = history_of(name, seed=seed, rate=rate)
    return History(versions, culprit, found.by, found.input, rate)


def make(name: str, folder: Path, *, seed: int = 0) -> StoryRepository:
    """Make a repository and the finding of its last version.

    Args:
        name: The scenario.
        folder: Where; it must be empty or not exist. The finding is saved beside the repository's files, in
            its `.git`, where no checkout touches it.
        seed: Which history; any integer from 0.

    Raises:
        LabError: the folder holds something, git is missing, or the scenario has no bug and fix to show.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabError(f"{folder} is not an empty folder; name one that does not exist yet")
    made = history(name, seed=seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"cannot make {folder}: {error.strerror}; name another folder") from error
    scenario = get(name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "fast-import", "--quiet", given=_stream(scenario, made.by, made.input, made.versions))
    git(folder, "checkout", "--quiet", "--force", "main")
    commits = git(folder, "rev-list", "--reverse", "main").split()
    last, (bug, _) = at_version(name, made.versions[-1]), _bug_and_fix(scenario)
    finding = hunt(last, bug, searcher="exhaustive", verify=False).finding
    if finding is None:
        raise FindingError(f"the last version of {name} does not show its bug")
    path = folder.resolve() / ".git" / "finding.json"
    finding.save(path)
    return StoryRepository(**vars(made), folder=folder.resolve(), commits=tuple(commits), finding=path)


def _bug_and_fix(scenario: Scenario) -> tuple[str, Any]:
    """Return the first variant that shows a bug, and the system of a fix that is judged by its property.

    Raises:
        LabError: there is none.
    """
    for variant in scenario.variants:
        if isinstance(variant.expect, Finds):
            by = variant.expect.by
            for fix in scenario.variants:
                if fix.kind == "fix" and any(check.__name__ == by for check in scenario.judged_by(fix)):
                    return variant.name, fix.system
    raise LabError(f"{scenario.name} has no variant with a bug beside a fix of the same property")


def at_version(name: str, version: Version) -> Scenario:
    """Return a scenario as it is at a version: what `version.py` in the repository calls."""
    scenario = get(name)
    bug, fixed = _bug_and_fix(scenario)
    chosen = scenario.variant(bug)
    if not version.buggy:
        chosen = dataclasses.replace(chosen, system=fixed)

    def later(system: Any, given: Any, chooser: Chooser) -> Any:
        for _ in range(version.questions):
            chooser.pick("warm-up", ("quick", "slow"))
        return scenario.run(system, given, chooser)

    return dataclasses.replace(
        scenario, name=f"{name}-at-this-version", run=later, variants=(chosen,), inputs=None
    )


def failing_share(scenario: Scenario, variant: str, given: Any, by: str) -> float:
    """Return the share of runs under the noise model in which a property fails, from a sample.

    Raises:
        LabError: it never fails in the sample.
    """
    chosen, failures, runs = scenario.variant(variant), 0, 0
    while failures < _FAILURES_ENOUGH and runs < _SAMPLE_MAX:
        outcome = execute(scenario, chosen, given, random(scenario.noise, runs))
        failures += caught(given, outcome, by) is not None
        runs += 1
    if not failures:
        raise LabError(
            f"{scenario.name} does not fail in {runs} runs under its noise model "
            f"{scenario.noise.name!r}, so a flaky test of it cannot be shown"
        )
    return failures / runs


def stress(name: str, version: Version, given: Any, by: str, seed: int) -> str | None:
    """Run the stress test of a version once: return what the property says when it fails, or None.

    Args:
        name: The scenario.
        version: The version.
        given: The input, as a finding holds it.
        by: The property; no other counts.
        seed: What the environment does; nobody records it in the field.
    """
    scenario = at_version(name, version)
    at, seeds = decode_input(scenario, given), substream(seed, "stress test")
    for _ in range(version.rounds):
        outcome = execute(scenario, scenario.variants[0], at, random(scenario.noise, seeds.randrange(2**63)))
        found = caught(at, outcome, by)
        if found is not None:
            return f"{found.failure.by}: {found.failure.message}"
    return None


_STORY: Final = '''\
"""The scenario as it is at this version. Made by `heisenlab bisect`."""

from scenarios.lab.method.story_repository import at_version
from version import VERSION

SCENARIO = at_version({name!r}, VERSION)
'''
_TEST: Final = '''\
"""A stress test. What the environment does is not recorded, so it fails now and then: with exit status 1."""

import sys
from random import SystemRandom

from scenarios.lab.method.story_repository import stress
from version import VERSION

failure = stress({name!r}, VERSION, {given!r}, {by!r}, SystemRandom().randrange(2**63))
if failure is not None:
    print(failure)
    sys.exit(1)
'''
_METADATA: Final = "Metadata-Version: 2.1\nName: story-at-this-version\nVersion: 1\n"
_FILES_MODE: Final = "100644"


def _stream(scenario: Scenario, by: str, given: Any, versions: Sequence[Version]) -> bytes:
    """Return what `git fast-import` reads: it takes a moment where 128 commits take half a minute."""
    folder = "story_at_this_version-1.dist-info"
    fixed_files = {
        "story.py": _STORY.format(name=scenario.name),
        "stress_test.py": _TEST.format(name=scenario.name, given=given, by=by),
        f"{folder}/METADATA": _METADATA,
        f"{folder}/entry_points.txt": (
            f"[heisenlab.scenarios]\n{scenario.name}-at-this-version = story:SCENARIO\n"
        ),
    }
    parts: list[bytes] = []
    for number, version in enumerate(versions):
        subject = version.subject.encode()
        # A fixed author and time: the same seed gives the same hashes.
        parts += [
            b"commit refs/heads/main\n",
            b"committer heisenlab <heisenlab@example.org> %d +0000\n" % (1_700_000_000 + number),
            b"data %d\n%s\n" % (len(subject), subject),
        ]
        files = {"version.py": _version_file(version)} | (fixed_files if not number else {})
        for path, text in files.items():
            data = text.encode()
            parts.append(
                b"M %s inline %s\ndata %d\n%s\n" % (_FILES_MODE.encode(), path.encode(), len(data), data)
            )
    return b"".join(parts)


def _version_file(version: Version) -> str:
    if not version.imports:
        return "this does not import yet\n"
    return f"from scenarios.lab.method.story_repository import Version\n\nVERSION = {version!r}\n"
